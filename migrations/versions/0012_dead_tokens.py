"""Deletes feed tokens that a revocation has left without a key: a new key of their party would make them valid again.

Since this revision a revocation that leaves a party without a key that may read deletes its tokens by itself. Here the
same is done for parties that are in that state: no such key is in use, and the one that ended last was revoked. Where
it expired, the tokens stay, and a party that has got a new key meanwhile keeps them too.
"""

import time
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

READING_KEYS = """
    SELECT CASE WHEN api_key.admin THEN 'admin:' WHEN publisher.slug IS NOT NULL THEN 'publisher:' || publisher.slug
           ELSE 'partner:' || partner.slug END AS party, api_key.scopes, api_key.expires_at, api_key.revoked_at
    FROM api_key LEFT JOIN publisher ON publisher.id = api_key.publisher_id
    LEFT JOIN partner ON partner.id = api_key.partner_id WHERE api_key.nonce IS NULL
"""
NEVER = 2**63 - 1


def upgrade() -> None:
    connection = op.get_bind()
    now = int(time.time() * 1000)
    # For each party the end of each of its keys, in milliseconds since 1970, and whether it ended by revocation.
    ends = defaultdict(list)
    for key in connection.execute(sa.text(READING_KEYS)):
        if "read" in key.scopes.split():
            expires_at = NEVER if key.expires_at is None else key.expires_at
            revoked_at = NEVER if key.revoked_at is None else key.revoked_at
            ends[key.party].append((min(expires_at, revoked_at), revoked_at < expires_at))
    for party, keys in ends.items():
        ended_at, is_revoked = max(keys)
        if ended_at <= now and is_revoked:
            connection.execute(sa.text("UPDATE feed SET token = NULL WHERE party = :party"), {"party": party})
