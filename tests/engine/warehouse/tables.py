"""Tables of sessions in databases, as the engines over them are told of them."""

from engine.warehouse import Column, Database, SessionTable


def session_table(database: Database, name: str) -> SessionTable:
    """The table of this name, whose columns are those of ``schema.COLUMNS``."""
    schema = database.schema((name,))
    columns = {field.name: Column(field.name, field.type) for field in schema}
    return SessionTable(
        (name,),
        user=columns["user_id"],
        page=columns["page"],
        time=columns["timestamp"],
        duration=columns["duration"],
    )
