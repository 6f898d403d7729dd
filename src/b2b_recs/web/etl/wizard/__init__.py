"""The wizard that makes a job in five steps and edits one; its state is a draft in the database, not in the browser."""
