//! The tests stand in `tests/`; what they compile for their messages stands in `../ui`.
