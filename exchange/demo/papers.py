"""The words of the demo: the invented papers of tests/data, or the files of a directory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
FILES_PER_PAPER = 30


@dataclass(frozen=True, slots=True)
class Papers:
    """Where the papers are, and the files that stand in for their attachments."""

    directory: Path
    documents: tuple[Path, ...]

    @classmethod
    def prepare(cls, target: Path, documents: Path | None) -> Papers:
        """Copy the papers aside; with a directory of documents, attach its files instead of the texts we ship."""
        shutil.copytree(DATA, target)
        found = tuple(sorted(p for p in documents.rglob("*") if p.is_file())) if documents else ()
        papers = target / "papers"
        if documents:
            for paper in papers.glob("*.txt"):
                lines = paper.read_text("utf-8").split("\n")
                paper.write_text("\n".join(line for line in lines if not line.startswith("Attach:")), "utf-8")
            shutil.rmtree(target / "udhr")
        return cls(papers, found)

    def path(self, name: str) -> str:
        """The path of a paper."""
        return str(self.directory / name)

    def taking_up(self, name: str, comments: dict[int, str]) -> str:
        """A revision that says which comments it takes up, by their numbers."""
        path = self.directory / name
        lines = "".join(f"Incorporates: #{number} | {where}\n" for number, where in comments.items())
        path.write_text(lines + path.read_text("utf-8"), "utf-8")
        return str(path)

    def batches(self) -> list[tuple[Path, ...]]:
        """The given documents, as many at a time as an event takes."""
        docs = self.documents
        return [docs[i : i + FILES_PER_PAPER] for i in range(0, len(docs), FILES_PER_PAPER)]
