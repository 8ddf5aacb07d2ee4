"""ninjs, the IPTC's News in JSON: versions 1.0 to 3.1 read, 3.1 and 2.1 written."""
