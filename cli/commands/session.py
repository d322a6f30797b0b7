"""Logs in and out, and tells who one is."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from cli.client import Api
from cli.console import err, out
from cli.issuers import DeviceFlow, OpenBao, Token, discovery
from cli.options import Output
from cli.output import Format, lasted, show_data
from cli.profile import Profile


def login(
    username: Annotated[
        str, typer.Option("--username", "-u", help="For an issuer with passwords (OpenBao).")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    role: Annotated[
        str, typer.Option("--role", help="Role of the issuer that makes the token (OpenBao).")
    ] = "pavane",
) -> None:
    """Log in and keep the token for later commands.

    Where the issuer offers it, a browser on any device is used; with OpenBao a password.
    """
    profile = Profile()
    with Api(profile, anonymous=True) as api:
        about = api.get("/v1/login")
    document = discovery(about["discoveryUrl"])
    token: Token
    if not username and "device_authorization_endpoint" in document:
        token = DeviceFlow(document, about["audience"]).login(_show_code)
    else:
        name = username or typer.prompt("Username", err=True)
        password = (
            sys.stdin.readline().rstrip("\n")
            if password_stdin
            else typer.prompt("Password", hide_input=True, err=True)
        )
        token = OpenBao(about["discoveryUrl"]).login(name, password, role)
    profile.keep_token(token.value, token.expires)
    with Api(Profile()) as api:
        who = api.get("/v1/whoami")
    valid = lasted(token.expires - time.time())
    err().print(f"[good]✓[/good] logged in as [name]{_name(who)}[/name], for {valid}")


def logout() -> None:
    """Forget the token for the API."""
    known = Profile().forget_token()
    err().print("logged out" if known else "[quiet]there was no token[/quiet]")


def whoami(output: Output = Format.TABLE) -> None:
    """Tell who the token says you are."""
    with Api(Profile()) as api:
        who = api.get("/v1/whoami")
    if output in {Format.JSON, Format.YAML}:
        show_data(who, output)
        return
    console = out()
    console.print(f"[name]{_name(who)}[/name]")
    console.print(f"[quiet]subject[/quiet]  {who['subject']}")
    console.print(f"[quiet]groups [/quiet]  {', '.join(who['groups']) or '-'}")
    if who["administrator"]:
        console.print("[warn]administrator of the installation[/warn]")


def _name(who: dict[str, str]) -> str:
    return who["email"] or who["name"] or who["subject"]


def _show_code(address: str, code: str) -> None:
    console = err()
    console.print(f"Open [name]{address}[/name]", soft_wrap=True)
    console.print(f"and enter the code [name]{code}[/name]")
