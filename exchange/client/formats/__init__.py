"""What the client knows of file formats: reading their words, writing and finding readers' marks; bytes in and out.

`docx`, `pdf` and `plain` have `marked`, `marks_in` and `text`; `words` tells the format by a file's content.
"""
