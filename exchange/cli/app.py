"""The command `colloquy`: options before the verb, groups of verbs, and the one place where errors become words."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from events.errors import Refused
from exchange import collector
from exchange.cli import failures
from exchange.cli.context import Options
from exchange.cli.output import Output
from exchange.client.errors import ServerRefused

EPILOG = """\b
Examples:
  colloquy init --server https://exchange.example --register 3f9a…
  colloquy inbox
  colloquy ask question.txt --form clarification
  colloquy answer Q3 answer.txt --attach statistics.csv
\b
Exit status:
""" + "\n".join(f"  {status:<3} {meaning}" for status, meaning in failures.EXIT_STATUS.items())


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="COLLOQUY_HOME",
    default=Path.home() / ".colloquy",
    show_default="~/.colloquy",
    help="Your home directory: key file, settings, memory.",
)
@click.option(
    "--review",
    "-r",
    envvar="COLLOQUY_REVIEW",
    default="",
    help="Which review: VDA, VDA-2026 or the beginning of its id. Not needed if there is one.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    envvar="COLLOQUY_PASSPHRASE_FILE",
    help="Read the passphrase from a file instead of asking.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for programs.")
@click.option("--quiet", "-q", is_flag=True, help="No remarks, no progress.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before what cannot be undone.")
@click.version_option(package_name="colloquy")
@click.pass_context
def cli(
    context: click.Context,
    home: Path,
    review: str,
    passphrase_file: Path | None,
    as_json: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> None:
    """Secure document exchange for the constructive dialogue of a treaty review.

    Everything you write is sealed on this machine for those who may read it, and signed with your key; the server
    stores what it cannot read. Words and titles are given in papers (files, or typed in), never on the command line.
    """
    context.obj = options = Options(home, Output(as_json=as_json, quiet=quiet), passphrase_file, review, yes)
    context.call_on_close(lambda: _told(options))


def _told(options: Options) -> None:
    """After what was done is on the screen, and only then, the same command means a new one."""
    sys.stdout.flush()
    if sys.exc_info()[0] is None:
        for reported in options.told:
            reported()


def main() -> None:
    """Run `colloquy` and turn every foreseen error into a sentence and an exit status."""
    from exchange.cli import commands  # noqa: PLC0415

    collector.relax()
    commands.add_all(cli)
    try:
        status = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("Stopped. Nothing was changed.", err=True)
        sys.exit(failures.INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except BaseException as error:
        failure = failures.failure_of(error)
        if failure is None:
            raise
        _report(error, failure)
        sys.exit(failure.status)
    else:
        # What a command ends with on purpose comes back from click as a number.
        sys.exit(status if isinstance(status, int) else 0)


def _report(error: BaseException, failure: failures.Failure) -> None:
    click.echo(f"colloquy: {failures.explain(error)}", err=True)
    if failure.advice:
        click.echo(failure.advice, err=True)
    if "--json" in sys.argv:
        code = error.code if isinstance(error, Refused) else ""
        code = error.problem.code if isinstance(error, ServerRefused) else code
        import json  # noqa: PLC0415

        click.echo(json.dumps({"error": str(error), "code": code, "status": failure.status}))
