//! SHA-256 (FIPS 180-4) as a const fn, for data that only constant evaluation sees. Everything else uses `sha2`.

const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

pub(crate) const fn digest(message: &[u8]) -> [u8; 32] {
    let mut state = START;
    let whole = message.len() / 64;
    let mut block = 0;
    while block < whole {
        state = compress(state, message, block * 64);
        block += 1;
    }

    // The rest, a one bit, zeros, and the length in bits: one block, or two where the length no longer fits.
    let rest = message.len() % 64;
    let mut tail = [0_u8; 128];
    let mut at = 0;
    while at < rest {
        tail[at] = message[whole * 64 + at];
        at += 1;
    }
    tail[rest] = 0x80;
    let end = if rest < 56 { 64 } else { 128 };
    let bits = (message.len() as u64 * 8).to_be_bytes();
    let mut at = 0;
    while at < 8 {
        tail[end - 8 + at] = bits[at];
        at += 1;
    }
    state = compress(state, &tail, 0);
    if end == 128 {
        state = compress(state, &tail, 64);
    }

    let mut out = [0; 32];
    let mut at = 0;
    while at < 32 {
        out[at] = state[at / 4].to_be_bytes()[at % 4];
        at += 1;
    }
    out
}

#[allow(clippy::many_single_char_names, reason = "the standard's own names")]
const fn compress(state: [u32; 8], bytes: &[u8], start: usize) -> [u32; 8] {
    let mut schedule = [0_u32; 64];
    let mut at = 0;
    while at < 64 {
        schedule[at] = if at < 16 {
            let word = start + at * 4;
            u32::from_be_bytes([bytes[word], bytes[word + 1], bytes[word + 2], bytes[word + 3]])
        } else {
            let (two, fifteen) = (schedule[at - 2], schedule[at - 15]);
            let small0 = fifteen.rotate_right(7) ^ fifteen.rotate_right(18) ^ (fifteen >> 3);
            let small1 = two.rotate_right(17) ^ two.rotate_right(19) ^ (two >> 10);
            schedule[at - 16].wrapping_add(small0).wrapping_add(schedule[at - 7]).wrapping_add(small1)
        };
        at += 1;
    }

    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    let mut at = 0;
    while at < 64 {
        let big1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(big1).wrapping_add(choice).wrapping_add(ROUND[at]).wrapping_add(schedule[at]);
        let big0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = big0.wrapping_add(majority);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        at += 1;
    }

    let sums = [a, b, c, d, e, f, g, h];
    let (mut next, mut at) = (state, 0);
    while at < 8 {
        next[at] = next[at].wrapping_add(sums[at]);
        at += 1;
    }
    next
}
