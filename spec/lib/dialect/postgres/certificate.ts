/**
 * A self-signed certificate of the name `certified.test`, valid until the year 2125, and its key. They guard nothing: made with
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=certified.test -addext subjectAltName=DNS:certified.test`.
 */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBpTCCAUqgAwIBAgIUBGS11qvhRPQx97XPdmIYwhz5jnwwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOY2VydGlmaWVkLnRlc3QwIBcNMjYxMTIzMDcyMzM4WhgPMjEy
NjEwMzAwNzIzMzhaMBkxFzAVBgNVBAMMDmNlcnRpZmllZC50ZXN0MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEudr+cHKXW5udkpmsBuTpQktPCtF6RNdm82fwWJVO
gQI2lsl4QCnErDmsxo1g3+dGPr57FfdPr8rN00I7liNiVqNuMGwwHQYDVR0OBBYE
FGmLGVIC1yMz/QpNsAUNnCnnH18WMB8GA1UdIwQYMBaAFGmLGVIC1yMz/QpNsAUN
nCnnH18WMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOY2VydGlmaWVkLnRl
c3QwCgYIKoZIzj0EAwIDSQAwRgIhAJN/dH25IgUVsCahIdSa/24pvk9iiymhf1v7
zb84QJWYAiEAtvrvzqAK5SbJ89Z53VxJ4bb7i2D/Pi8NTdXscEZJAvI=
-----END CERTIFICATE-----
`

export const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghcVt38Va2AqFEj/Y
Gv30PkKeGzFlNgc2oKuHNJx+EayhRANCAAS52v5wcpdbm52SmawG5OlCS08K0XpE
12bzZ/BYlU6BAjaWyXhAKcSsOazGjWDf50Y+vnsV90+vys3TQjuWI2JW
-----END PRIVATE KEY-----
`
