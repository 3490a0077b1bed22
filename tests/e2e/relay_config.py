"""Changing the configuration of a harness's relay before it starts."""

import re


def configure(relay, **values):
    path = relay.data + "/signetd.conf"
    with open(path, encoding="ascii") as file:
        text = file.read()
    for key, value in values.items():
        text, count = re.subn(f"(?m)^{key} =.*$", f"{key} = {value}", text)
        assert count == 1, key
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
