//! The encryption of a push (RFC 8291): one record of the content encoding `aes128gcm` (RFC 8188), which only the browser that
//! subscribed can read.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, ParsedPublicKey, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use windi_shared::{Error, Result};

/// The length of a browser's secret, in bytes.
pub const AUTH_BYTES: usize = 16;
/// The most bytes that a push carries: a push service takes at least 4,096 (RFC 8030, section 7.2), with the keys.
pub const MAX_BYTES: usize = 3000;
/// The length of an uncompressed point on P-256, in bytes, and the first of them.
const POINT_BYTES: u8 = 65;
const UNCOMPRESSED: u8 = 4;
/// The size of the only record, as the header gives it; it may be shorter.
const RECORD_BYTES: u32 = 4096;
/// Behind what the last record holds.
const LAST_RECORD: u8 = 2;

/// Whether this is an uncompressed point on P-256.
pub fn is_point(key: &[u8]) -> bool {
    key.len() == usize::from(POINT_BYTES)
        && key[0] == UNCOMPRESSED
        && ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, key)).is_ok()
}

/// Encrypts for the browser with this public key and secret.
///
/// # Errors
/// [`Error::Internal`] if the key is no point, or there is too much to encrypt.
pub fn encrypt(plain: &[u8], receiver: &[u8], auth: &[u8]) -> Result<Vec<u8>> {
    if plain.len() > MAX_BYTES {
        return Err(Error::internal("a push is too long"));
    }
    let encrypted = PrivateKey::generate(&ECDH_P256).and_then(|own| {
        let mut salt = [0; 16];
        rand::fill(&mut salt)?;
        encrypt_with(&own, &salt, plain, receiver, auth)
    });
    encrypted.map_err(|_| Error::internal("a push could not be encrypted"))
}

/// `own` and `salt` are for one push only.
fn encrypt_with(
    own: &PrivateKey,
    salt: &[u8; 16],
    plain: &[u8],
    receiver: &[u8],
    auth: &[u8],
) -> std::result::Result<Vec<u8>, Unspecified> {
    let public = own.compute_public_key()?;
    let info: [&[u8]; 3] = [b"WebPush: info\0", receiver, public.as_ref()];
    let peer = UnparsedPublicKey::new(&ECDH_P256, receiver);
    let secret: [u8; 32] = agreement::agree(own, peer, Unspecified, |shared| derive(auth, shared, &info))?;
    let key: [u8; 16] = derive(salt, &secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = derive(salt, &secret, &[b"Content-Encoding: nonce\0"])?;
    let mut record = plain.to_vec();
    record.push(LAST_RECORD);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    let mut push = salt.to_vec();
    push.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    push.push(POINT_BYTES);
    push.extend_from_slice(public.as_ref());
    push.append(&mut record);
    Ok(push)
}

/// HKDF-SHA-256.
fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> std::result::Result<[u8; N], Unspecified> {
    let mut key = [0; N];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(N))?.fill(&mut key)?;
    Ok(key)
}

/// Of a derived key, in bytes.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    const RECEIVER: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    #[test]
    fn the_example_of_the_standard_is_encrypted_to_the_letter() {
        // RFC 8291, section 5, with the keys of appendix A.
        let own = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).expect("a key");
        let salt: [u8; 16] = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().expect("16 bytes");
        let plain = b"When I grow up, I want to be a watermelon";
        let push = encrypt_with(&own, &salt, plain, &bytes(RECEIVER), &bytes("BTBZMqHH6r4Tts7J_aSIgg"));
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(push.expect("a push")),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn a_key_is_a_point_on_the_curve_in_its_long_form() {
        let point = bytes(RECEIVER);
        assert!(is_point(&point));
        let mut elsewhere = point.clone();
        elsewhere[64] ^= 1;
        let mut hybrid = point.clone();
        hybrid[0] = 6;
        let compressed = [&[2][..], &point[1..33]].concat();
        for key in [&elsewhere[..], &hybrid[..], &compressed[..], &point[..64], &[0; 65][..], &[][..]] {
            assert!(!is_point(key), "{key:?}");
        }
    }

    #[test]
    fn every_push_is_encrypted_with_keys_of_its_own() {
        let (receiver, auth) = (bytes(RECEIVER), [7; AUTH_BYTES]);
        let push = || encrypt(b"x", &receiver, &auth).expect("a push");
        assert_ne!(push()[..16], push()[..16]);
        assert_ne!(push()[21..86], push()[21..86]);
        assert!(encrypt(&[0; MAX_BYTES + 1], &receiver, &auth).is_err());
    }
}
