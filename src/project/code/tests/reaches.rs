//! What nodes reach.

use super::{sample, told};

#[test]
fn the_sample_project() {
    insta::assert_snapshot!(told(&sample()));
}
