"""PostgreSQL's planner hears of tables that are no longer empty, before autovacuum finds them.

Of a table it never analyzed it assumes that whatever it looks up is one row, so every index that
begins with the tenant seems as good as the right one. Our statements, and the checks of foreign
keys, are planned once a connection: until autovacuum comes, a minute later by default, each capture
into a new installation would read all orders of its tenant ten times (docs/adr/0022).
"""

from typing import Final

from django.db import connection

ENOUGH: Final = 100  # rows, that tell something of those to come

_UNKNOWN: Final = """
SELECT quote_ident(c.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE s.schemaname = current_schema() AND c.reltuples <= 0 AND s.n_live_tup >= %s
ORDER BY c.relname
"""


def introduce() -> list[str]:
    """Analyze tables that have rows, but had none when last analyzed, or never were; their names.

    Once is enough: from then on the planner reckons with their size as it finds it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [ENOUGH])
        unknown = [name for (name,) in cursor.fetchall()]
        for name in unknown:
            # Whoever has it locked is analyzing it, or changing what it is: there is a next time.
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {name}")
    return unknown
