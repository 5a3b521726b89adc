//! What every herd must do, whoever wrote it: conversations with its five servers, seen from outside.
