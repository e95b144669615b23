"""Reads a Bicep file into plain Python: what is declared, and the values as far as they are literal.

What is not literal (a parameter, a call, an interpolation) becomes an `Expression`, which the checks resolve or leave alone.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import pycep
import tree_sitter
import tree_sitter_bicep

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


class Unreadable(Exception):
    """The file is no Bicep."""


@dataclass
class Expression:
    """A value that is only known in a deployment, as it is written."""

    text: str


@dataclass
class Object:
    """An object: its properties, and the line of each."""

    properties: dict
    lines: dict
    resources: list = field(default_factory=list)


@dataclass
class Declaration:
    """A param, var, output, resource or module."""

    kind: str
    name: str
    line: int
    value: object = None
    type: str = ""
    decorators: dict = field(default_factory=dict)
    existing: bool = False
    loop: tuple = None


@dataclass
class File:
    path: Path
    text: str
    declarations: list

    def of(self, kind):
        return {d.name: d for d in self.declarations if d.kind == kind}


def read(path):
    """Reads the file at `path`, by two parsers: the one forgives nothing, the other knows the lines."""
    text = path.read_text()
    root = _PARSER.parse(text.encode()).root_node
    broken = next((n for n in _walk(root) if n.is_error or n.is_missing), None)
    if broken is not None:
        raise Unreadable(f"{path}:{_line(broken)}: this is no Bicep: {_text(broken)[:60]!r}")
    refused = _refused(text)
    if refused:
        raise Unreadable(f"{path}: this is no Bicep: {refused}")
    return File(path, text, _declarations(root))


@functools.cache
def _refused(text):
    """What the stricter parser has against `text`, if anything; it takes a tenth of a second a file."""
    try:
        pycep.BicepParser().parse(text=text)
    except Exception as error:  # lark has a tree of errors of its own
        return str(error).splitlines()[0]
    return None


def _declarations(node):
    found, decorators = [], {}
    for child in node.named_children:
        if child.type == "decorators":
            decorators = dict(_decorator(d) for d in child.named_children)
        elif child.type.endswith("_declaration"):
            found.append(_declaration(child, decorators))
            decorators = {}
    return found


def _decorator(node):
    call = node.named_children[0]
    arguments = [c for c in call.named_children if c.type == "arguments"][0]
    values = [value(a) for a in arguments.named_children]
    return _text(call.child_by_field_name("function")), values[0] if values else None


def _declaration(node, decorators):
    kind = {"parameter": "param", "variable": "var"}.get(node.type[: -len("_declaration")], node.type[: -len("_declaration")])
    parts = [c for c in node.named_children if c.type != "comment"]
    made = Declaration(kind, _text(parts[0]), _line(node), decorators=decorators)
    made.existing = any(c.type == "existing" or _text(c) == "existing" for c in node.children)
    rest = parts[1:]
    if kind in ("resource", "module") or (rest and rest[0].type == "type"):
        made.type = _text(rest[0]).strip("'")
        rest = rest[1:]
    if rest:
        body = rest[-1]
        if body.type == "for_statement":
            inner = [c for c in body.named_children if c.type != "comment"]
            made.loop = (_text(inner[0]), _text(inner[1]))
            body = inner[-1]
        made.value = value(body)
    return made


def value(node):
    """The value of `node`, literal as far as it is."""
    if node.type == "object":
        made = Object({}, {})
        for pair in node.named_children:
            if pair.named_children and pair.named_children[0].type == "resource_declaration":
                made.resources += _declarations(pair)
            elif pair.type == "object_property":
                key, content = pair.named_children[0], pair.named_children[-1]
                made.properties[_text(key).strip("'")] = value(content)
                made.lines[_text(key).strip("'")] = _line(pair)
        return made
    if node.type == "array":
        return [value(c) for c in node.named_children if c.type != "comment"]
    if node.type == "string" and not any(c.type == "interpolation" for c in node.named_children):
        return _text(node)[1:-1].replace("\\'", "'")
    if node.type == "number":
        return int(_text(node))
    if node.type == "boolean":
        return _text(node) == "true"
    return Expression(_text(node))


def identifiers(text):
    """Every name that the expressions of `text` use; not what is in strings, except in `${}`, and not properties."""
    names = set()
    for node in _walk(_PARSER.parse(text.encode()).root_node):
        if node.type == "identifier":
            names.add(_text(node))
    return names


def members(text):
    """Every `a.b.c` of `text`, as lists of names."""
    found = []
    for node in _walk(_PARSER.parse(text.encode()).root_node):
        if node.type == "member_expression" and (node.parent is None or node.parent.type != "member_expression"):
            found.append(_text(node).replace("?", "").split("."))
    return found


def _walk(node):
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node):
    return node.text.decode()


def _line(node):
    return node.start_point[0] + 1
