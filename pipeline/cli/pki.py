"""`sealine pki`: the try-out certificate authority."""

from typing import Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, open_app
from pipeline.cli.show import write_json, write_line

app = typer.Typer(help="试用证书 / the try-out authority", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep `init` a command of its own."""


@app.command("init")
def init(context: typer.Context, home: HomeOption = None, json_: JsonOption = False) -> None:
    """建立试用 CA / Make the try-out CA and its keys on the spot; nobody else trusts them."""
    with open_app(context, home) as sealine:
        existed = sealine.settings.pki_folder.exists()
        pki = sealine.pki
        document: dict[str, Any] = {
            "ca": str(pki.ca_path),
            "signer": pki.signer_uri,
            "tsa": pki.tsa_uri,
            "maker": pki.maker_uri,
            "created": not existed,
        }
    if json_:
        write_json(document)
        return
    write_line(
        "试用 CA 已存在 / exists already"
        if existed
        else "试用 CA 已建立，他人不信任 / made; nobody trusts it"
    )
    write_line(f"根证书 / root: {document['ca']}")
    write_line(f"签名密钥 / signing key: {document['signer']}")
