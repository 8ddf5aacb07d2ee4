"""Compiled loading: the short way of an object without faults through a marshmallow schema.

marshmallow walks through all fields of a schema with a closure, an error store and a call of `getattr` for each. Here
the walk is made once, and only for what it takes to load an object that has no fault: each value is still loaded by its
own field, so there is no second declaration of what is valid. Whatever is wrong raises `ValidationError`, and whoever
loads then lets marshmallow find all faults. A schema that uses more of marshmallow than `is_plain_schema` knows is not
compiled. Pure; what the fields accept is in `schemas.fields`.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from marshmallow import RAISE, Schema, SchemaOpts, ValidationError, fields, missing
from marshmallow.decorators import VALIDATES_SCHEMA

from newswire.schemas.fields import Several

Load: TypeAlias = Callable[[Any], Any]
LoadField: TypeAlias = Callable[[Any, str | None, Any], Any]
REFUSED = "This object has a fault."


def compile_schema(schema: Schema) -> Load:
    """A function that loads as `schema.load` what has no fault, and raises `ValidationError` for everything else.

    The error names no fault; `schema.load` of the same object does.
    """
    if not is_plain_schema(schema):
        return schema.load
    steps = [(name, compile_field(field), field.required) for name, field in schema.load_fields.items()]
    checks = [getattr(schema, hook[0]) for hook in type(schema).resolve_hooks().get(VALIDATES_SCHEMA, ())]

    def load(data: Any) -> Any:
        if type(data) is not dict:
            raise ValidationError(REFUSED)
        loaded = {}
        # In the order of the schema, as marshmallow has it.
        for name, load_field, is_required in steps:
            value = data.get(name, missing)
            if value is not missing:
                loaded[name] = load_field(value, name, data)
            elif is_required:
                raise ValidationError(REFUSED)
        # Every member of `loaded` is one of `data`, so that a difference is an unknown field.
        if len(loaded) != len(data):
            raise ValidationError(REFUSED)
        for check in checks:
            check(loaded, partial=schema.partial, many=False, unknown=RAISE)
        return loaded

    return load


def compile_field(field: fields.Field[Any]) -> LoadField:
    """A function that loads a value of a field; lists and objects are walked through here, all else by the field."""
    if field.validators or field.pre_load or field.post_load:
        return field.deserialize
    if type(field) is Several:
        return _compile_list(field)
    if type(field) is fields.Nested and not field.many and field.unknown is None:
        return _compile_object(field)
    return field.deserialize


def _compile_list(field: Several) -> LoadField:
    load_item, limit = compile_field(field.inner), field.limit

    def load(value: Any, name: str | None, data: Any) -> Any:
        if type(value) is list and len(value) <= limit:
            return [load_item(item, None, None) for item in value]
        return field.deserialize(value, name, data)

    return load


def _compile_object(field: fields.Nested) -> LoadField:
    load_object = compile_schema(field.schema)

    def load(value: Any, name: str | None, data: Any) -> Any:
        return load_object(value) if type(value) is dict else field.deserialize(value, name, data)

    return load


def is_plain_schema(schema: Schema) -> bool:
    """Whether a schema has nothing but fields by their own names, and checks of the whole object.

    Everything else that marshmallow can do changes the walk: other names, defaults, fields that are not loaded, hooks
    before and behind, a subclass with a walk of its own.
    """
    settings = (schema.many, schema.partial, schema.unknown, schema.dict_class, type(schema).OPTIONS_CLASS)
    walks = ("load", "handle_error", "_do_load", "_deserialize")
    hooks = {name: found for name, found in type(schema).resolve_hooks().items() if found}
    return (
        settings == (False, None, RAISE, dict, SchemaOpts)
        and all(getattr(type(schema), walk) is getattr(Schema, walk) for walk in walks)
        and hooks.keys() <= {VALIDATES_SCHEMA}
        and all(not many and not options.get("pass_original") for _, many, options in hooks.get(VALIDATES_SCHEMA, ()))
        and all(map(_is_plain_field, schema.fields.keys(), schema.fields.values()))
    )


def _is_plain_field(name: str, field: fields.Field[Any]) -> bool:
    is_renamed = field.data_key not in (None, name) or field.attribute not in (None, name) or "." in name
    is_own_walk = type(field).deserialize is not fields.Field.deserialize
    return not (is_renamed or is_own_walk or field.dump_only or field.load_default is not missing)
