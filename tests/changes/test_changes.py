"""The wire over HTTP: order, completeness, and who is told what."""

from hashlib import sha256

from tests.support.wire import Wire


def test_the_wire_tells_everything_once_in_order(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(7):
        publisher.publish(f"Story {number}", body_text="text")
    after, seen = 0, []
    while True:
        page = partner.get(f"/v1/changes?after={after}&limit=3").get_json()
        seen += page["data"]
        after = page["page"]["next_after"]
        assert page["head"] == 7
        if not page["page"]["has_more"]:
            break
    assert [entry["seq"] for entry in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert [entry["article"]["headline"] for entry in seen] == [f"Story {n}" for n in range(7)]
    first = seen[0]
    assert set(first) == {"seq", "type", "at", "article_id", "version", "digest", "chain", "article"}
    assert first["article"]["body_text"] == "text"
    assert first["article"]["seq"] == 1
    assert first["digest"] == first["article"]["digest"]
    end = {"has_more": False, "next_after": 7, "next_chain": seen[-1]["chain"]}
    assert partner.get("/v1/changes?after=7").get_json()["page"] == end
    assert partner.get("/v1/changes?after=8").get_json()["code"] == "cursor_ahead"


def test_the_chain_value_of_an_entry_is_over_the_one_before_its_number_and_its_digest(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish("One", external_id="a")
    publisher.post("/v1/articles/batch", json=[{"headline": "Two"}, {"headline": "Three"}])
    publisher.delete("/v1/publishers/reuters/articles/a")
    chain = "0" * 64
    for entry in wire.as_partner().changes():
        chain = sha256(f"{chain} {entry['seq']} {entry['digest']}".encode()).hexdigest()
        assert entry["chain"] == chain
    assert wire.as_partner("other").get("/v1/wire").get_json()["chain"] == chain


def test_an_edited_entitlement_holds_for_the_entries_behind_the_edit_only(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
    before = publisher.publish("Before", section="world", external_id="before")
    wire.set_partner("partner", section=["sport"])
    after = publisher.publish("After", section="world", external_id="after")
    publisher.publish("Sport", section="sport")
    for article in (before, after):
        publisher.delete(f"/v1/articles/{article['id']}")
    # What was told before stays told, without its content; what came behind the edit was never told, nor its kill.
    assert [(entry["seq"], entry["type"]) for entry in partner.changes()] == [
        (1, "article.published"), (3, "article.published"), (4, "article.canceled"),
    ]  # fmt: skip
    assert [entry["article"] is not None for entry in partner.changes()] == [False, True, False]


def test_an_old_version_keeps_its_own_text_on_the_wire(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    address = "/v1/publishers/reuters/articles/a"
    publisher.put(address, json={"headline": "one"})
    publisher.put(address, json={"headline": "two"})
    entries = partner.changes()
    assert [(entry["type"], entry["article"]["headline"]) for entry in entries] == [
        ("article.published", "one"),
        ("article.updated", "two"),
    ]


def test_an_article_that_leaves_the_entitlement_is_removed_once(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["World"])
    address = "/v1/publishers/reuters/articles/a"
    for section, headline in (("World", "1"), ("Sport", "2"), ("Sport", "3"), ("World", "4")):
        publisher.put(address, json={"headline": headline, "section": section})
    entries = partner.changes()
    assert [(entry["seq"], entry["type"]) for entry in entries] == [
        (1, "article.published"), (2, "article.removed"), (4, "article.updated"),
    ]  # fmt: skip
    assert [entry["article"] and entry["article"]["headline"] for entry in entries] == ["1", None, "4"]


def test_a_kill_reaches_everyone_who_was_shown_any_version(wire: Wire) -> None:
    publisher = wire.as_publisher()
    world, sport, other = (wire.as_partner(name, section=[name]) for name in ("world", "sport", "other"))
    cut = wire.as_partner("cut", section=["world"])
    article = publisher.publish(external_id="a", section="world")
    publisher.put("/v1/publishers/reuters/articles/a", json={"headline": "x", "section": "sport"})
    wire.set_partner("cut", section=["other"])
    publisher.delete(f"/v1/articles/{article['id']}")
    for caller, types in (
        (world, ["article.published", "article.removed", "article.canceled"]),
        (sport, ["article.updated", "article.canceled"]),
        (cut, ["article.published", "article.removed", "article.canceled"]),
        (other, []),
    ):
        entries = caller.changes()
        assert [entry["type"] for entry in entries] == types
        assert all(entry["article"] is None for entry in entries)
        assert caller.get(f"/v1/articles/{article['id']}").status_code == (410 if types else 404)
    own = publisher.changes()
    assert [entry["type"] for entry in own] == ["article.published", "article.updated", "article.canceled"]
    assert own[0]["article"]["headline"] == "Cocoa rises"


def test_a_publisher_sees_its_own_part_of_the_wire(wire: Wire) -> None:
    reuters, afp = wire.as_publisher(), wire.as_publisher("afp")
    reuters.publish("r")
    afp.publish("a")
    reuters.publish("more")
    page = afp.get("/v1/changes?limit=1").get_json()
    assert [entry["seq"] for entry in page["data"]] == [2]
    assert page["page"] == {"has_more": True, "next_after": 2, "next_chain": page["data"][0]["chain"]}
    # What is not its own is scanned and not shown.
    page = afp.get("/v1/changes?after=2").get_json()
    head = afp.get("/v1/wire").get_json()["chain"]
    assert (page["data"], page["page"]) == ([], {"has_more": False, "next_after": 3, "next_chain": head})
    assert [entry["article"]["headline"] for entry in afp.changes()] == ["a"]
    assert [entry["seq"] for entry in wire.as_admin().changes()] == [1, 2, 3]
