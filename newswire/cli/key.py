"""`newswire key create | list | revoke`: API keys, and the secrets of signing keys."""

from typing import Any

import click

from newswire.accounts.callers import find_caller
from newswire.accounts.keys import SCOPES, create_key, list_keys, quotas_in, revoke_key
from newswire.accounts.signing_keys import SCOPE, create_signing_key
from newswire.cli.support.database import open_database
from newswire.cli.support.options import LABEL, Duration
from newswire.cli.support.output import format_table, json_option, print_notice, print_result
from newswire.config import Settings
from newswire.quotas import Quota, describe_quotas, format_quotas, parse_quotas
from newswire.timestamps import format_instant, format_optional, now


@click.group()
def key_group() -> None:
    """Keys, with which publishers, partners and admins authenticate.

    \b
    newswire key create --publisher gazette --label "their CMS" --expires 90d
    newswire key create --partner daily --limit read=600/60s > daily.key
    newswire key create --publisher gazette --signing
    newswire key list
    newswire key revoke 3
    """


def parse_limits(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Quota]:
    try:
        return parse_quotas(values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@key_group.command("create")
@click.option("--publisher", metavar="SLUG", help="A key of this publisher.")
@click.option("--partner", metavar="SLUG", help="A key of this partner.")
@click.option("--admin", is_flag=True, help="A key that may do and see everything.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES["admin"]),
    help="Repeatable. Default: publish and read for a publisher, read for a partner, all for an admin.",
)  # fmt: skip
@click.option("--expires", type=Duration(), help="When the key ends: 12h, 90d, 52w from now. Default: never.")
@click.option(
    "--limit", "quotas", multiple=True, metavar="SCOPE=N/SECONDSs", callback=parse_limits,
    help="Most requests in a window of time: read=600/60s. Repeatable, once for read and once for publish. Default:"
    " NEWSWIRE_LIMITS where the wire is served.",
)  # fmt: skip
@click.option("--label", type=LABEL, help="What the key is for.")
@click.option(
    "--signing",
    is_flag=True,
    help="Of a publisher: the secret with which a Superdesk signs what it pushes, instead of a key. Needs"
    " NEWSWIRE_SECRET, the same here and where the wire is served.",
)
@json_option
def create_key_command(
    publisher: str | None, partner: str | None, admin: bool, scopes: tuple[str, ...], expires: int | None,
    quotas: dict[str, Quota], label: str | None, signing: bool, as_json: bool,
) -> None:  # fmt: skip
    """Create a key. Standard output is the key alone; it is shown this once, because only its hash is stored."""
    if [publisher is not None, partner is not None, admin].count(True) != 1:
        raise click.UsageError("Say whose key it is: --publisher SLUG, --partner SLUG or --admin, one of them.")
    moment = now()
    expires_at = None if expires is None else moment + expires
    if signing:
        if publisher is None or scopes:
            raise click.UsageError("A signing key is that of a publisher, to publish: --publisher SLUG, no --scope.")
        create_signing_secret(publisher, expires_at, label, quotas, moment, as_json)
        return
    with open_database() as database, database.begin() as connection:
        made = create_key(
            connection, now=moment, publisher_slug=publisher, partner_slug=partner, scopes=list(dict.fromkeys(scopes)),
            expires_at=expires_at, label=label, quotas=quotas,
        )  # fmt: skip
        # Read back as a request would, so that the notice says what the key can do.
        caller = find_caller(connection, made, moment)
    assert caller is not None, "the key was made in this transaction"
    owner = f"Key {caller.key_id} of {caller.kind} {caller.slug or ''}".rstrip()
    scope_list = ", ".join(sorted(caller.scopes))
    limited = f"; at most {format_quotas(quotas)}" if quotas else ""
    print_notice(f"{owner}, for {scope_list}; {describe_expiry(expires_at)}{limited}. It is shown this once.")
    print_result(made, {
        "key": made, "id": caller.key_id, "kind": caller.kind, "slug": caller.slug, "scopes": sorted(caller.scopes),
        "label": caller.label, "expires_at": format_optional(expires_at), "limits": describe_quotas(quotas),
    }, as_json)  # fmt: skip


def create_signing_secret(
    publisher: str, expires_at: int | None, label: str | None, quotas: dict[str, Quota], now: int, as_json: bool
) -> None:
    master = Settings.from_env().secret
    if master is None:
        raise click.ClickException(
            "The secrets of signing keys are derived from NEWSWIRE_SECRET. Set it, here and where the wire is"
            " served, to 32 characters or more (`openssl rand -hex 32`), and keep it: with another one all are void."
        )
    with open_database() as database, database.begin() as connection:
        secret, number = create_signing_key(
            connection, now=now, master=master, publisher_slug=publisher, expires_at=expires_at, label=label,
            quotas=quotas,
        )  # fmt: skip
    until = describe_expiry(expires_at)
    print_notice(f"Signing key {number} of publisher {publisher}; {until}. Its secret is shown this once.")
    print_result(secret, {
        "secret": secret, "id": number, "kind": "publisher", "slug": publisher, "scopes": [SCOPE], "signing": True,
        "label": label, "expires_at": format_optional(expires_at), "limits": describe_quotas(quotas),
    }, as_json)  # fmt: skip


def describe_expiry(expires_at: int | None) -> str:
    return "never expires" if expires_at is None else f"expires at {format_instant(expires_at)}"


@key_group.command("list")
@json_option
def list_keys_command(as_json: bool) -> None:
    """List all keys: whose, for what, since and until when. The keys themselves are not stored."""
    moment = now()
    with open_database() as database, database.read() as connection:
        found = [(key_summary(row, moment), row.limits) for row in list_keys(connection)]
    titles = ["ID", "KEY", "OF", "SLUG", "SCOPES", "LIMITS", "LABEL", "STATE", "CREATED", "EXPIRES", "LAST USED"]
    rows = [
        [item["id"], item["hint"] + "…", item["kind"], item["slug"],
         "signing" if item["signing"] else ",".join(item["scopes"]), limits, item["label"],
         item["state"], *((item[name] or "")[:16] for name in ("created_at", "expires_at", "last_used_at"))]
        for item, limits in found
    ]  # fmt: skip
    print_result(format_table(titles, rows) if found else "No keys yet.", [item for item, _ in found], as_json)


@key_group.command("revoke")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**62))
@json_option
def revoke_key_command(number: int, as_json: bool) -> None:
    """Revoke the key ID (see `newswire key list`): it is refused from the next request on.

    Without another key that may read, its party loses the tokens of its saved feeds too, for good: a new key does not
    bring them back. To replace a key, create the new one first.
    """
    with open_database() as database, database.begin() as connection:
        party, tokens = revoke_key(connection, number, now())
    if tokens:
        print_notice(
            f"It was the last key of {party.removesuffix(':')} that may read: the tokens of {tokens} of its feeds are"
            " revoked with it."
        )
    print_result(f"Revoked key {number}.", {"id": number, "state": "revoked", "revoked_tokens": tokens}, as_json)


def key_summary(row: Any, moment: int) -> dict[str, Any]:
    ended = row.expires_at is not None and row.expires_at <= moment
    return {
        "id": row.id,
        "hint": row.hint,
        "kind": "admin" if row.admin else "publisher" if row.publisher else "partner",
        "slug": row.publisher or row.partner,
        "scopes": row.scopes.split(),
        "signing": row.nonce is not None,
        "limits": describe_quotas(quotas_in(row)),
        "label": row.label,
        "state": "revoked" if row.revoked_at is not None else "expired" if ended else "in use",
        "created_at": format_instant(row.created_at),
        "expires_at": format_optional(row.expires_at),
        "revoked_at": format_optional(row.revoked_at),
        "last_used_at": format_optional(row.last_used_at),
    }
