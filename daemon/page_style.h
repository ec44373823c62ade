#pragma once

#include <string_view>

namespace veer {

/// The whole style of the page: as XML allows it without escapes, so no '<' and no '&'. Each colour of text
/// has a contrast of 4.5 to 1 or more against what is behind it (WCAG 2.1, 1.4.3), in light and dark; what a
/// colour says a word says too.
inline constexpr std::string_view kPageStyle = R"(
:root{color-scheme:light dark;--back:#fff;--text:#1b1b1f;--soft:#55555c;--line:#8a8a92;--box:#f3f3f6;--link:#0b4f9c;
--good:#0a6b3d;--wait:#0b4f9c;--bad:#a3170f}
@media (prefers-color-scheme:dark){:root{--back:#17181b;--text:#ececf0;--soft:#b9bac2;--line:#80828c;--box:#24262b;
--link:#8fc0ff;--good:#7fd6a6;--wait:#8fc0ff;--bad:#ffa79c}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}
header,main,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;line-height:1.3;margin:2rem 0 .5rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .25rem}
p{margin:.25rem 0}
nav p{margin:0;text-align:right}
a{color:var(--link)}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
code{font-family:ui-monospace,monospace;background:var(--box);padding:.1em .3em;border-radius:.2em;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.answer{border:2px solid var(--good);border-radius:.4rem;padding:.5rem 1rem;margin:1rem 0;background:var(--box)}
.answer h2{border:0;margin:0;padding:0}
.answer.yes{border-color:var(--bad);border-width:4px}
.answer ul{margin:.5rem 0;padding-left:1.2rem}
.years{list-style:none;margin:0;padding:0;display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.years li{border-top:.35rem dotted var(--line);padding-top:.35rem}
.years .recorded{border-top:.35rem solid var(--good)}
.years .under-way{border-top:.35rem dashed var(--wait)}
.years .missed,.years .refused{border-top:.35rem double var(--bad)}
.years p{font-size:.95rem}
.steps{padding-left:1.6rem}
.steps li{margin:.35rem 0}
.steps .done strong{color:var(--good)}
.steps .waits strong{color:var(--wait)}
.steps .stopped strong,.steps .refused strong{color:var(--bad)}
.steps .to-come strong{font-weight:400}
article{border-left:.3rem solid var(--line);padding:.25rem 0 .25rem .75rem;margin:1rem 0}
article.finding,article.attention{border-left-color:var(--bad)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
caption{text-align:left;color:var(--soft);padding-bottom:.25rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
th[scope=row]{font-weight:400;overflow-wrap:anywhere}
td{min-width:5.6em;overflow-wrap:anywhere}
@media (max-width:30rem){table{font-size:.875rem}th,td{padding-right:.5rem}}
footer{margin-top:2rem;padding-bottom:2rem;color:var(--soft);font-size:.95rem}
@media print{:root{color-scheme:light;--back:#fff;--text:#000;--soft:#333;--line:#666;--box:#fff;--link:#000;--good:#000;
--wait:#000;--bad:#000}
body{font-size:10.5pt}nav{display:none}header,main,footer{max-width:none;padding:0}
article,li,tr,.answer{break-inside:avoid}h2,h3{break-after:avoid}}
)";

}  // namespace veer
