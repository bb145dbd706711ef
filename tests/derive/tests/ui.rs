//! Every mistake that the macros know, and what they say about it. The texts are those of the compiler that
//! `rust-version` and CI name; `TRYBUILD=overwrite` writes them anew.

#[test]
fn each_mistake_is_told_as_a_good_colleague_would() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("../ui/*/*.rs");
}
