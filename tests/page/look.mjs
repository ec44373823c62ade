// Opens pages in a real browser and looks each over as a person could: by eye, by keyboard, on a phone, in the dark and on
// paper. Prints one line of JSON for each look, and judges nothing: tests/page/browser_test.cpp does.
// node look.mjs SETTINGS: {modules, browser, pages: [file], widths: [pixels], folder: where pictures go}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const require = createRequire(join(settings.modules, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const rules = { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] } };
const inBrief = (found) => found.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(', ')}`);

async function look(browser, file, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const said = [];
  const requests = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  const url = pathToFileURL(file).href;
  await page.goto(url, { waitUntil: 'load' });

  // What is evaluated here comes through the debugger, which the page's policy does not bind; what it adds to the page is.
  const seen = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    background: getComputedStyle(document.body).backgroundColor,
    tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  }));
  const name = `${basename(file, '.html')}-${width}-${colorScheme}`;
  await page.screenshot({ path: join(settings.folder, `${name}.png`), fullPage: true });
  await page.keyboard.press('Tab');
  const focus = await page.evaluate(() => ({
    element: document.activeElement.tagName,
    outline: getComputedStyle(document.activeElement).outlineStyle,
  }));
  await page.evaluate(axe);
  const judged = await page.evaluate((options) => globalThis.axe.run(document, options), rules);
  const quiet = [...said];
  const asked = requests.filter((one) => one !== url);
  if (colorScheme === 'light') await page.pdf({ path: join(settings.folder, `${basename(file, '.html')}.pdf`), format: 'A4' });

  // Whatever somebody got into the page, its policy would stop: told by the same ears that heard nothing before.
  await page.evaluate((other) => {
    const add = (element, properties) => document.body.append(Object.assign(document.createElement(element), properties));
    add('script', { textContent: 'window.ran = 1' });
    add('style', { textContent: 'body{color:red}' });
    return new Promise((done) => add('img', { onerror: () => done(), src: other }));
  }, new URL('other.png', url).href);
  const stopped = said.slice(quiet.length).filter((text) => text.includes('Content Security Policy')).length;
  const ran = await page.evaluate(() => globalThis.ran === 1);

  console.log(JSON.stringify({
    file, width, colorScheme, ...seen, focus, stopped, ran,
    said: quiet,
    requests: asked,
    rules: judged.passes.length,
    violations: inBrief(judged.violations),
    unsure: inBrief(judged.incomplete),
  }));
  await context.close();
}

const browser = await chromium.launch({
  executablePath: settings.browser,
  chromiumSandbox: false, // which root cannot have; what is opened is ours
});
try {
  for (const file of settings.pages)
    for (const width of settings.widths)
      for (const colorScheme of ['light', 'dark']) await look(browser, file, width, colorScheme);
} finally {
  await browser.close();
}
