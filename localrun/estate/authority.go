package estate

// authority stands for every private certificate authority that contracts name
// where there is no local run, as in explain. It vouches for nobody; its key was
// thrown away.
const authority = `-----BEGIN CERTIFICATE-----
MIIBdTCCARqgAwIBAgIIGOuXyc+a4kswCgYIKoZIzj0EAwIwHTEbMBkGA1UEAxMS
VG9sbGdhdGUgbG9jYWwgcnVuMCAXDTI2MDEwMTAwMDAwMFoYDzIxMjYwMTAxMDAw
MDAwWjAdMRswGQYDVQQDExJUb2xsZ2F0ZSBsb2NhbCBydW4wWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQPIRArbNr1S75+ltGC+nwTF01UrbUKh6Pc1fDVsVAID5BS
KRBcWJoyO+tYwi4UFw8r6aFbIf5Di3hM3f47OjIFo0IwQDAOBgNVHQ8BAf8EBAMC
AQYwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUxICHbhEQlAR3D+VxYUKpMHpc
sdcwCgYIKoZIzj0EAwIDSQAwRgIhAL91ZL/GQ5pVlzd/y+zVHTa6vFqXeXfltr34
GvmCW7NaAiEA5j+CXF47RDF0H/WpwDv3gbvYtCg/LnlBMnSoh7eoNbk=
-----END CERTIFICATE-----
`
