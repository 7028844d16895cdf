/**
 * The collation that compares text by code point, spaces at its end included: `utf8mb4_bin` takes `a` and `a ` for the same.
 * Each comment is code to the one server and nothing to the other (MySQL from 8.0.17, MariaDB from 10.2.2).
 *
 * Tables and patterns have to agree on it, or an index does not serve the prefix of a LIKE.
 */
export const COLLATION = '/*!80017 utf8mb4_0900_bin *//*M!100202 utf8mb4_nopad_bin */'
