// Placeholder of a module that is being written.
