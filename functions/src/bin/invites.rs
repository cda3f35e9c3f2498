//! The binary of [`windi_functions::invites`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::invites::main()
}
