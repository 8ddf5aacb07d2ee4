"""Publishing: from the validated fields of an article to the log.

`draft` prepares (URLs, clean bodies, content as served; pure), `receive` decides and writes within a
`publish_transaction`, `idempotency` keeps answers for repeats, `release` ends embargoes and expires articles.
"""
