from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="log_version")
with context.begin_transaction():
    context.run_migrations()
