"""Stories about rendering: values, templates in the sandbox, escapes, objects, keys."""
