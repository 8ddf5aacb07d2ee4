"""From a publisher's request to the wire: drafting, receiving, and the formats articles come in."""
