//! The automata of the documented patterns. Written by `SNAPSHOTS=overwrite cargo test --lib the_automata`, with the
//! crate `regex-automata`.

use super::automaton::State;

/// The states of each expression, in their order.
#[rustfmt::skip]
pub(super) static AUTOMATA: &[&[State]] = &[
    // AccountId: [0-9]{12}
    &[
        State { is_match: false, ways: &[("0123456789", 1)] },
        State { is_match: false, ways: &[("0123456789", 2)] },
        State { is_match: false, ways: &[("0123456789", 3)] },
        State { is_match: false, ways: &[("0123456789", 4)] },
        State { is_match: false, ways: &[("0123456789", 5)] },
        State { is_match: false, ways: &[("0123456789", 6)] },
        State { is_match: false, ways: &[("0123456789", 7)] },
        State { is_match: false, ways: &[("0123456789", 8)] },
        State { is_match: false, ways: &[("0123456789", 9)] },
        State { is_match: false, ways: &[("0123456789", 10)] },
        State { is_match: false, ways: &[("0123456789", 11)] },
        State { is_match: false, ways: &[("0123456789", 12)] },
        State { is_match: true, ways: &[] },
    ],
    // RegistryAlias: [a-z][a-z0-9]+(?:[._-][a-z0-9]+)*
    &[
        State { is_match: false, ways: &[("abcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 2)] },
        State { is_match: true, ways: &[("-._", 3), ("0123456789abcdefghijklmnopqrstuvwxyz", 2)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 4)] },
        State { is_match: true, ways: &[("-._", 3), ("0123456789abcdefghijklmnopqrstuvwxyz", 4)] },
    ],
    // RepositoryName: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*
    &[
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: true, ways: &[("-", 2), (".", 3), ("/", 4), ("0123456789abcdefghijklmnopqrstuvwxyz", 1), ("_", 5)] },
        State { is_match: false, ways: &[("-", 2), ("0123456789abcdefghijklmnopqrstuvwxyz", 6)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 6)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 7)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 6), ("_", 3)] },
        State { is_match: true, ways: &[("-", 2), (".", 3), ("/", 4), ("0123456789abcdefghijklmnopqrstuvwxyz", 6), ("_", 5)] },
        State { is_match: true, ways: &[("-", 8), (".", 9), ("/", 4), ("0123456789abcdefghijklmnopqrstuvwxyz", 7), ("_", 10)] },
        State { is_match: false, ways: &[("-", 8), ("0123456789abcdefghijklmnopqrstuvwxyz", 11)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 11)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 11), ("_", 9)] },
        State { is_match: true, ways: &[("-", 8), (".", 9), ("/", 4), ("0123456789abcdefghijklmnopqrstuvwxyz", 11), ("_", 10)] },
    ],
    // PlainRepositoryName: (?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*
    &[
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: true, ways: &[("-._", 2), ("/", 0), ("0123456789abcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: false, ways: &[("0123456789abcdefghijklmnopqrstuvwxyz", 3)] },
        State { is_match: true, ways: &[("-._", 2), ("/", 0), ("0123456789abcdefghijklmnopqrstuvwxyz", 3)] },
    ],
    // UploadId: [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
    &[
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 1)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 2)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 3)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 4)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 5)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 6)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 7)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 8)] },
        State { is_match: false, ways: &[("-", 9)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 10)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 11)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 12)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 13)] },
        State { is_match: false, ways: &[("-", 14)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 15)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 16)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 17)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 18)] },
        State { is_match: false, ways: &[("-", 19)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 20)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 21)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 22)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 23)] },
        State { is_match: false, ways: &[("-", 24)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 25)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 26)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 27)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 28)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 29)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 30)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 31)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 32)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 33)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 34)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 35)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 36)] },
        State { is_match: true, ways: &[] },
    ],
    // LayerDigest: [a-zA-Z0-9-_+.]+:[a-fA-F0-9]+
    &[
        State { is_match: false, ways: &[("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: false, ways: &[("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz", 1), (":", 2)] },
        State { is_match: false, ways: &[("0123456789ABCDEFabcdef", 3)] },
        State { is_match: true, ways: &[("0123456789ABCDEFabcdef", 3)] },
    ],
    // Base64: ([a-zA-Z0-9+/]{4})*([a-zA-Z0-9+/]{2}==|[a-zA-Z0-9+/]{3}=)?
    &[
        State { is_match: true, ways: &[("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: false, ways: &[("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 2)] },
        State { is_match: false, ways: &[("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 3), ("=", 4)] },
        State { is_match: false, ways: &[("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 5), ("=", 6)] },
        State { is_match: false, ways: &[("=", 6)] },
        State { is_match: true, ways: &[("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 1)] },
        State { is_match: true, ways: &[] },
    ],
];
