//! Whether a recipient of age is one that anything can be encrypted to.
//!
//! A few points of Curve25519 have a small order: whatever is shared with one of them is zero, so that age
//! gives up, in the middle of a broadcast. RFC 7748 §6.1 has implementations look for that; here it is
//! looked for when a recipient is taken in, by the list of such points.
//!
//! May not: say that a recipient is anybody's.

use data_encoding::{HEXLOWER, Specification};

/// Characters that 32 bytes take, five bits each.
const LENGTH: usize = 52;

/// The characters of Bech32 (BIP 173), each worth its place.
const DIGITS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The points of small order, and those that are the same modulo 2^255 - 19, without the highest bit, which
/// X25519 ignores.
const SMALL: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// Whether something can be encrypted to this recipient, `age1…`, which age has read already.
pub(crate) fn is_contributory(recipient: &str) -> bool {
    let Some(mut point) = point(recipient) else {
        return false;
    };
    point[31] &= 0x7f;
    !SMALL.contains(&HEXLOWER.encode(&point).as_str())
}

/// The 32 bytes that the text stands for; its checksum behind them is not looked at.
fn point(recipient: &str) -> Option<[u8; 32]> {
    let mut bech32 = Specification::new();
    bech32.symbols.push_str(DIGITS);
    bech32.check_trailing_bits = false;
    let bech32 = bech32
        .encoding()
        .expect("32 characters, and no two of them alike");
    let data = recipient.strip_prefix("age1")?.get(..LENGTH)?;
    bech32.decode(data.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_age_makes_can_be_encrypted_to() {
        for _ in 0..100 {
            let made = age::x25519::Identity::generate().to_public();
            assert!(is_contributory(&made.to_string()));
        }
    }

    #[test]
    fn a_text_is_the_bytes_that_it_stands_for() {
        let zero = format!("age1{}5cu47z", "q".repeat(52));
        assert_eq!(point(&zero), Some([0; 32]));
        let one = format!("age1qy{}", "q".repeat(56));
        assert_eq!(point(&one).map(|bytes| bytes[0]), Some(1));
        assert!(!is_contributory(&zero) && !is_contributory(&one));
        // The highest bit does not matter.
        let high = format!("age1{}zqqqqqqqq", "q".repeat(49));
        assert_eq!(point(&high).map(|bytes| bytes[31]), Some(0x80));
        assert!(!is_contributory(&high));
    }
}
