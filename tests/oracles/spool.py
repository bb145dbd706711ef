"""Reads spools by docs/spool-format.md alone, and compares what is in them with what was put there."""

import base64
import hashlib
import json
import pathlib
import re
import struct
import sys

LIMIT = 1 << 62


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


TABLE = list(crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283, "the check value of CRC-32C"


def rounds(state):
    """The twenty rounds of ChaCha20."""
    for _ in range(10):
        for a, b, c, d in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]:
            for x, y, z, turn in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
                state[x] = state[x] + state[y] & 0xFFFFFFFF
                word = state[z] ^ state[x]
                state[z] = (word << turn | word >> 32 - turn) & 0xFFFFFFFF
    return state


def start(key, rest):
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + rest))


def xchacha20_poly1305(key, nonce, about, message, sealed=True):
    """What is in a sealed message, or with `sealed=False` the tag of an empty one; None if the tag is another."""
    state = rounds(start(key, nonce[:16]))
    key = struct.pack("<8I", *state[:4], *state[12:])

    def block(counter):
        first = start(key, struct.pack("<I", counter) + bytes(4) + nonce[16:])
        return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(first, rounds(list(first)))))

    one_time = block(0)
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    text, tag = (message[:-16], message[-16:]) if sealed else (b"", b"")
    padded = about + bytes(-len(about) % 16) + text + bytes(-len(text) % 16) + struct.pack("<QQ", len(about), len(text))
    total = 0
    for at in range(0, len(padded), 16):
        total = (total + int.from_bytes(padded[at:at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    expected = (total + int.from_bytes(one_time[16:32], "little") & (1 << 128) - 1).to_bytes(16, "little")
    if not sealed:
        return expected
    stream = b"".join(block(1 + at // 64) for at in range(0, len(text), 64))
    return bytes(a ^ b for a, b in zip(text, stream)) if expected == tag else None


def header(data, magic):
    """A header of 64 bytes, if it is sound."""
    zeroed = data[:12] + bytes(4) + data[16:64]
    sound = len(data) >= 64 and data[:8] == magic and data[8:10] == b"\2\0"
    return data[:64] if sound and data[12:16] == struct.pack("<I", crc32c(zeroed)) else None


class Spool:
    def __init__(self, directory, name, keys):
        self.directory, self.name, self.keys = directory, name, keys
        self.acked, self.durable_end, self.changed = {0}, 1, set()
        self.whole = [self.read_acknowledgements(index) for index in (0, 1)]
        self.events, unfinished, last_write = {}, set(), 0
        pattern = re.compile(re.escape(name) + r"\.([0-9a-f]{16})\.([0-9a-f]{8,})\.(seg|damaged)")
        found = (pattern.fullmatch(path.name) for path in directory.iterdir())
        segments = sorted((int(match[1], 16), int(match[2], 16), match[0]) for match in found if match)
        end = max(self.durable_end, max(self.acked) + 1)
        for (base, _, file), (end_base, *_) in zip(segments, segments[1:] + [(None,)]):
            for seq, first_of_write, event in self.frames(directory / file, base, end_base or LIMIT):
                if first_of_write:
                    last_write = seq
                self.events[seq] = event
                end = max(end, seq + 1)
            if end_base is None:
                end = max(end, base)
                unfinished = {seq for seq in range(base, end) if seq not in self.events and seq >= self.durable_end
                              and any(seq < later for later in self.events) and seq > last_write}
        self.end = end
        self.missing = set(range(1, end)) - set(self.events) - self.acked - unfinished
        self.pending = {seq: event for seq, event in sorted(self.events.items()) if seq not in self.acked}

    def read_acknowledgements(self, index):
        path = self.directory / f"{self.name}.acks.{index}"
        data = path.read_bytes() if path.exists() else b""
        head = header(data, b"AUDACKS\n")
        if head is None:
            return False
        salt, snapshot, sound = head[24:40], struct.unpack("<Q", head[40:48])[0], 0
        for number, at in enumerate(range(64, len(data) - 31, 32)):
            begin, end, durable, _, crc = struct.unpack("<QQQII", data[at:at + 32])
            if any(data[at:at + 32]) and crc == crc32c(salt + data[at:at + 28]):
                self.acked.update(range(begin, end))
                self.durable_end = max(self.durable_end, durable)
                sound += number < snapshot
        return sound == snapshot

    def frames(self, path, base, end):
        data = path.read_bytes()
        head = header(data, b"AUDSPOOL") or header(data[512:], b"AUDSPOOL")
        if head is None or struct.unpack("<Q", head[16:24])[0] != base:
            return
        salt, key = head[24:40], self.key(head)
        at, seq = 576, base
        while at + 16 <= len(data) and seq < end:
            crc, word, number = struct.unpack("<IIQ", data[at:at + 16])
            length, id_length = word & 0x7FFFFF, word >> 24
            plausible = (seq <= number < min(end, seq + len(data)) and id_length > 0 and length >= id_length + 32
                         and at + 16 + length <= len(data))
            if not plausible or crc != crc32c(salt + data[at + 4:at + 16 + length]):
                at += 1
                continue
            body = data[at + 16:at + 16 + length]
            if key:
                body = xchacha20_poly1305(key, salt + struct.pack("<Q", number), data[at + 4:at + 16], body)
            id_end = 32 + id_length
            if hashlib.sha256(body[id_end:]).digest() != body[:32]:
                self.changed.add(number)
            yield number, bool(word >> 23 & 1), [body[32:id_end].decode(), body[id_end:].decode()]
            at, seq = at + 16 + length, number + 1

    def key(self, head):
        if head[10] == 0:
            return None
        key = self.keys[head[40:56].rstrip(b"\0").decode()]
        nonce = head[24:40] + b"\xff" * 8
        assert xchacha20_poly1305(key, nonce, b"key check", b"", sealed=False)[:8] == head[56:64], "another key"
        return key

    def dead_letters(self):
        letters, index = {}, 0
        while (path := self.directory / f"{self.name}.dead{f'.{index}' if index else ''}.ndjson").exists():
            for line in filter(str.strip, path.read_text().split("\n")):
                letter = json.loads(line)
                if sealed := letter.get("sealed"):
                    about = letter["id"].encode() + b"\0" + struct.pack("<Q", letter["seq"])
                    nonce, data = base64.b64decode(sealed["nonce"]), base64.b64decode(sealed["eventData"])
                    letter["eventData"] = xchacha20_poly1305(self.keys[sealed["keyId"]], nonce, about, data).decode()
                checksum = base64.b64encode(hashlib.sha256(letter["eventData"].encode()).digest()).decode()
                assert letter["checksum"] == checksum, "a dead letter whose event data has changed"
                letters[letter["seq"]] = [letter["id"], letter["code"], letter["eventData"]]
            index += 1
        return letters


def slots(directory):
    """The names of the slots in a directory."""
    names = {path.name.split(".")[0] for path in directory.iterdir()}
    return [name for name in ["default", *(f"default-{slot}" for slot in range(1, 1000))] if name in names]


def check_slots(case, expected):
    """An event that was being moved may be pending in two slots, and is the same in both."""
    directory = case.with_suffix("")
    names = slots(directory)
    events = [event for name in names for event in Spool(directory, name, {}).pending.values()]
    pending = sorted(set(map(tuple, events)))
    if names != expected["slots"] or pending != sorted(map(tuple, expected["pending"])):
        sys.exit(f"oracle: {case.stem}: in {names} are {pending!s:.600}")
    print(f"{case.stem}: {len(pending)} events wait in {len(names)} slots")


def main(folder):
    cases = sorted(folder.glob("*.json"))
    for case in cases:
        expected = json.loads(case.read_text())
        if "slots" in expected:
            check_slots(case, expected)
            continue
        keys = {name: bytes.fromhex(key) for name, key in expected["keys"].items()}
        spool = Spool(case.with_suffix(""), expected["name"], keys)
        read = {"pending": [[seq, *event] for seq, event in spool.pending.items()], "missing": sorted(spool.missing),
                "changed": sorted(spool.changed & set(spool.pending)), "end": spool.end,
                "dead": [[seq, *letter] for seq, letter in sorted(spool.dead_letters().items())]}
        for what, value in read.items():
            if value != expected[what]:
                sys.exit(f"oracle: {case.stem}: {what} is {value!s:.600}, and should be {expected[what]!s:.600}")
        if not any(spool.whole):
            sys.exit(f"oracle: {case.stem}: no file of acknowledgements is whole")
        print(f"{case.stem}: {len(read['pending'])} events wait, {len(read['missing'])} are missing, {len(read['dead'])} dead")
    if len(cases) < 10:
        sys.exit(f"oracle: only {len(cases)} spools to read")
    print(f"oracle: {len(cases)} spools read by their specification")


main(pathlib.Path(sys.argv[1]))
