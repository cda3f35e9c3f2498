//! The binary of [`windi_functions::session`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::session::main()
}
