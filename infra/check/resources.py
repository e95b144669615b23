"""Holds the resources of a file against the models of Azure: every property, value and tag."""

import models
from bicep import Expression, Object, members

# What the language itself gives a resource.
_LANGUAGE = {"name", "parent", "scope", "dependsOn"}
_SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def check(file):
    """Everything that is wrong with the resources of `file`, a line each."""
    variables = file.of("var")
    allowed = {n: d.decorators.get("allowed") for n, d in file.of("param").items()}
    problems = []
    for resource, kind in resources(file.declarations):
        shape = models.shape(kind)
        if shape is None:
            problems.append(f"{file.path}:{resource.line}: no model of {kind} is known")
            continue
        if resource.existing:
            continue
        check = _Check(file, variables, allowed, resource, problems)
        check.object(resource.value, shape, kind, top=True)
        if "tags" in shape.properties and "tags" not in resource.value.properties:
            problems.append(f"{file.path}:{resource.line}: {kind} can have tags and sets none: no sweep would find it")
    problems.extend(_reads(file))
    return problems


def resources(declarations, parent=None):
    """Every resource of a file with its full type, those inside others too."""
    for declaration in declarations:
        if declaration.kind != "resource":
            continue
        kind = declaration.type
        if parent:
            name, version = parent.split("@")
            kind = f"{name}/{kind}@{version}"
        yield declaration, kind
        if isinstance(declaration.value, Object):
            yield from resources(declaration.value.resources, kind)


class _Check:
    def __init__(self, file, variables, allowed, resource, problems):
        self.file, self.variables, self.allowed = file, variables, allowed
        self.loop, self.problems = resource.loop, problems

    def object(self, given, shape, where, top=False):
        for key, content in given.properties.items():
            place = f"{self.file.path}:{given.lines[key]}"
            if top and key in _LANGUAGE:
                continue
            kind = shape.properties.get(key)
            if kind is None:
                self.problems.append(f"{place}: {where} has no property {key}{_near(key, shape.properties)}")
            elif kind.read_only:
                self.problems.append(f"{place}: {key} of {where} is read-only")
            else:
                self.value(content, kind, f"{where}.{key}", place)
        for key, kind in shape.properties.items():
            if kind.required and key not in given.properties:
                self.problems.append(f"{self.file.path}: {where} lacks {key}, which is required")

    def value(self, content, kind, where, place):
        if isinstance(content, Expression):
            for literal in self.possible(content.text):
                self.value(literal, kind, where, place)
        elif kind.name == "object":
            if isinstance(content, Object):
                self.object(content, models.inner(kind), where)
            else:
                self.problems.append(f"{place}: {where} is an object, not {content!r}")
        elif kind.name == "list":
            if not isinstance(content, list):
                self.problems.append(f"{place}: {where} is a list, not {content!r}")
                return
            for item in content:
                self.value(item, kind.inner, where, place)
        elif kind.name == "enum":
            if content not in kind.inner:
                self.problems.append(f"{place}: {where} may be {', '.join(map(str, kind.inner))}, not {content!r}")
        elif kind.name in _SCALARS:
            wanted = _SCALARS[kind.name]
            if not isinstance(content, wanted) or (isinstance(content, bool) and kind.name != "bool"):
                self.problems.append(f"{place}: {where} is of type {kind.name}, not {content!r}")

    def possible(self, text):
        """The literal values that an expression may have: an `@allowed` parameter's, or one for each turn of a loop."""
        if self.allowed.get(text):
            return self.allowed[text]
        if self.loop and text.startswith(self.loop[0] + ".") and self.loop[1] in self.variables:
            name = text.split(".", 1)[1]
            turns = [turn.properties.get(name) for turn in self.variables[self.loop[1]].value]
            literal = [t for t in turns if not isinstance(t, Expression)]
            named = [v for t in turns if isinstance(t, Expression) for v in self.allowed.get(t.text) or []]
            return literal + named
        return []


def _reads(file):
    """Properties of resources that the file reads, `cluster.properties.nodeResourceGroup`, and that no answer has."""


    known = {r.name: kind for r, kind in resources(file.declarations) if r.loop is None}
    for name, *path in members(file.text):
        shape = models.shape(known[name], answer=True) if name in known and path[:1] == ["properties"] else None
        for depth, part in enumerate(path):
            kind = shape and shape.properties.get(part)
            if shape is not None and kind is None:
                yield f"{file.path}: {'.'.join([name, *path])}: there is no {part} in {'.'.join([name, *path[:depth]])}"
                break
            if not kind or kind.name != "object":
                break
            shape = models.inner(kind)


def _near(key, known):
    close = [k for k in known if k.lower() == key.lower()]
    return f"; is it {close[0]}?" if close else ""
