"""Zips a program for Lambda under the name `bootstrap`, in a second: zip.py PROGRAM ZIP"""

import sys
import zipfile

_, program, name = sys.argv
with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
    file.write(program, "bootstrap")
