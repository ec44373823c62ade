#!/usr/bin/python3
"""Makes the workbooks of this folder anew: see README.md. Debian packages: libreoffice-calc-nogui,
python3-openpyxl, python3-xlsxwriter."""

import pathlib
import subprocess
import tempfile

import openpyxl
import xlsxwriter

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = ["05070999751", "00010199875", "99123199742", "00000199740", "85070099464", "05070999751"]
CSV = "44,34,76,1,1/{}"  # comma, quote, UTF-8, from line 1, column 1 as: 1 whatever it looks like, 2 text


def libreoffice(name, source, kind, infilter=None):
    with tempfile.TemporaryDirectory() as folder:
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
        if infilter:
            command.append(f"--infilter=Text - txt - csv (StarCalc):{infilter}")
        subprocess.run(command + ["--convert-to", kind, "--outdir", folder, str(source)], check=True)
        made = pathlib.Path(folder) / f"{source.stem}.{kind}"
        (HERE / name).write_bytes(made.read_bytes())


def from_libreoffice():
    with tempfile.TemporaryDirectory() as folder:
        csv = pathlib.Path(folder) / "list.csv"
        csv.write_text("INSZ\n" + "\n".join(NUMBERS) + "\n")
        libreoffice("libreoffice-text.xlsx", csv, "xlsx", CSV.format(2))
        libreoffice("libreoffice-numbers.xlsx", csv, "xlsx", CSV.format(1))
        libreoffice("libreoffice-old.xls", csv, "xls", CSV.format(2))
        libreoffice("libreoffice.ods", csv, "ods", CSV.format(2))
        csv.write_text("INSZ,naam\n" + "\n".join(n + ",x" for n in NUMBERS) + "\n")
        libreoffice("libreoffice-two-columns.xlsx", csv, "xlsx", CSV.format(2))
        csv.write_text("\n\nINSZ\n05.07.09-997.51\n\n 00010199875 \n")
        libreoffice("libreoffice-printed.xlsx", csv, "xlsx", CSV.format(2))
        libreoffice("libreoffice-formulas.xlsx", HERE / "openpyxl-formulas.xlsx", "xlsx")


def from_openpyxl():
    book = openpyxl.Workbook()
    book.active.append(["INSZ"])
    for number in NUMBERS:
        book.active.append([number])
    book.create_sheet("Blad2")
    book.save(HERE / "openpyxl-text.xlsx")

    book = openpyxl.Workbook()
    for row, number in enumerate(NUMBERS, 3):
        cell = book.active.cell(row, 4, int(number))
        cell.number_format = "00000000000"
    book.save(HERE / "openpyxl-numbers.xlsx")

    book = openpyxl.Workbook()
    book.active["A1"] = NUMBERS[0]
    book.create_sheet("Blad2")["C7"] = "x"
    book["Blad2"].sheet_state = "hidden"
    book.save(HERE / "openpyxl-hidden-sheet.xlsx")

    book = openpyxl.Workbook()
    for row, value in enumerate(["INSZ", NUMBERS[0], "=5070999000+751", True, "#N/A", 85070999751.5, -5], 1):
        book.active.cell(row, 1, value)
    book.save(HERE / "openpyxl-formulas.xlsx")


def from_xlsxwriter():
    with xlsxwriter.Workbook(HERE / "xlsxwriter-rich.xlsx") as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, "INSZ", bold)
        sheet.write_rich_string(1, 0, "050709", bold, "997", "51")
        sheet.write_rich_string(2, 0, bold, "00.01.01", "-998.75")
        sheet.write_blank(3, 0, None, bold)
        sheet.write_blank(3, 9, None, bold)
        sheet.write_string(4, 0, NUMBERS[2])

    with xlsxwriter.Workbook(HERE / "xlsxwriter-inline.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, number in enumerate(NUMBERS):
            sheet.write_string(row, 0, number)

    with xlsxwriter.Workbook(HERE / "xlsxwriter-chart.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, NUMBERS)
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Sheet1!$A$1:$A$2"})
        book.add_chartsheet().set_chart(chart)


from_openpyxl()
from_xlsxwriter()
from_libreoffice()
