"""The cache all processes share, and who may touch the tables no organization owns."""

from django.db import migrations

CACHE = """
CREATE TABLE b2b_recs_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX b2b_recs_cache_expires ON b2b_recs_cache (expires);
GRANT SELECT, INSERT, UPDATE, DELETE ON b2b_recs_cache TO b2b_recs_web, b2b_recs_worker, b2b_recs_operator;
"""

# The queue: pages add and cancel, the worker does everything else.
QUEUE = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO b2b_recs_web', name);
        EXECUTE format('REVOKE DELETE, TRUNCATE ON %I FROM b2b_recs_web', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO b2b_recs_worker, b2b_recs_operator', name);
    END LOOP;
END $$;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO b2b_recs_web, b2b_recs_worker, b2b_recs_operator;
"""

# Nothing but the owner changes the record of migrations; contexts of the audit live in the events themselves.
SHUT = """
REVOKE ALL ON pghistory_context FROM b2b_recs_web, b2b_recs_worker;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM b2b_recs_web, b2b_recs_worker, b2b_recs_operator;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("procrastinate", "0041_post_retry_failed_job"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("accounts", "0002_apikey"),
    ]

    operations = [
        migrations.RunSQL(CACHE, "DROP TABLE b2b_recs_cache"),
        migrations.RunSQL(QUEUE, migrations.RunSQL.noop),
        migrations.RunSQL(SHUT, migrations.RunSQL.noop),
    ]
