//! The binary of [`windi_functions::users`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::users::main()
}
