from alembic import context

context.configure(dialect_name="postgresql", version_table="log_version")
with context.begin_transaction():
    context.run_migrations()
