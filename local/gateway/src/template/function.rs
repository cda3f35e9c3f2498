//! The functions of a template.

/// The name by which functions are invoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum NamedBy {
    /// The binary of `BuildMethod: rust-cargolambda`, as `cargo lambda watch` expects; the logical id if there is none
    #[default]
    Binary,
    /// The logical id in the template, as `sam local start-lambda` expects
    LogicalId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As chosen by [`NamedBy`].
    pub name: String,
    /// Its line in the template, from 1.
    pub line: usize,
}
