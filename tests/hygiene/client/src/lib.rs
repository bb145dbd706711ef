//! An application that names one dependency. The suite stands in `tests/`.
