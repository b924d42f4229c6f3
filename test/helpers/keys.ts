import { generateKeyPairSync, type KeyObject } from 'node:crypto'

/** A public key as most issuers publish it: SPKI in PEM. */
export function toPem (key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** A private key as PKCS #8 in PEM. */
export function toPrivatePem (key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export const generateEc = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve })
export const generateEd25519 = () => generateKeyPairSync('ed25519')
export const generateRsa = (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength })

/** A certificate of CN=issuer.test on a P-256 key, signed by itself, valid to 2126. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUAccWD1rZI06czfdT+Te1S0bCKgswCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLaXNzdWVyLnRlc3QwIBcNMjYxMTIzMDkxNzM0WhgPMjEyNjEw
MzAwOTE3MzRaMBYxFDASBgNVBAMMC2lzc3Vlci50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEL54Ht+heutJLZhIGP2em/wstKt5ZtmfC8WifB45stHi4LTfy
ROGr4nJIqaI+K7MmlCZlTaHeVsmZMEM1DDYLeKNTMFEwHQYDVR0OBBYEFPfTf97l
jWIs7h0mm1yxrsM46eukMB8GA1UdIwQYMBaAFPfTf97ljWIs7h0mm1yxrsM46euk
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgBdEnSq5PaBg5BhNk
WqS7w1420rqP8RazGQKIBFF9RrECIGXbO2DGQlf7avR+m+mEhMBC1FqkiGEGYy9G
JhWY9dDh
-----END CERTIFICATE-----
`

/** The public key that {@link CERTIFICATE} certifies. */
export const CERTIFIED_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEL54Ht+heutJLZhIGP2em/wstKt5Z
tmfC8WifB45stHi4LTfyROGr4nJIqaI+K7MmlCZlTaHeVsmZMEM1DDYLeA==
-----END PUBLIC KEY-----
`
