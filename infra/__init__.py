"""What is deployed around the functions: tables, queues, roles, alarms."""
