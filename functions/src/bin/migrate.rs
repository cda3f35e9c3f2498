//! The binary of [`windi_functions::migrate`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::migrate::main()
}
