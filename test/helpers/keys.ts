import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

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
MIIBgzCCASmgAwIBAgIUNTusrWZh6DxLi98PF4pCUZKQI/MwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLaXNzdWVyLnRlc3QwIBcNMjYxMTIzMTc1MDMxWhgPMjEyNjEw
MzAxNzUwMzFaMBYxFDASBgNVBAMMC2lzc3Vlci50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEtaMNcEPBLzDKdtTPC3PpXE34HFB1B06Cwd0kHG4RQS5UE+cI
ZqBsG/zmNWLKPDV8TZ4yzPhuCiT1znssugbpvaNTMFEwHQYDVR0OBBYEFOw8dGSF
nq+0H1dYedioFFBxF9imMB8GA1UdIwQYMBaAFOw8dGSFnq+0H1dYedioFFBxF9im
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJohJc9ATpHa4SKa
NgJiehZrPHyKJ31myLDtVlho1C9pAiB1h4fhqRok+3KI+aGVAOkWuQRNL9xD3dC7
0MBmba1QKQ==
-----END CERTIFICATE-----
`

/** The public key that {@link CERTIFICATE} certifies. */
export const CERTIFIED_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtaMNcEPBLzDKdtTPC3PpXE34HFB1
B06Cwd0kHG4RQS5UE+cIZqBsG/zmNWLKPDV8TZ4yzPhuCiT1znssugbpvQ==
-----END PUBLIC KEY-----
`

/** The private key of {@link CERTIFICATE}, made for these tests and used for nothing else. */
export const CERTIFICATE_KEY = toPrivatePem(createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'taMNcEPBLzDKdtTPC3PpXE34HFB1B06Cwd0kHG4RQS4',
    y: 'VBPnCGagbBv85jViyjw1fE2eMsz4bgok9c57LLoG6b0',
    d: 'scAOEJ3CdMH3ttn9TVuG3qNunIfHN6ZJOJFWcai3bWE'
  }
}))
