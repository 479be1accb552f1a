package contract

// Secret is one reference, ${secret:VAULT/NAME}: a secret of a vault that the
// environment binds. A contract never holds the secret itself.
type Secret string

// Authenticate is how the gateway proves itself to a backend: exactly one of these.
type Authenticate struct {
	ManagedIdentity *ByManagedIdentity `field:"managedIdentity" doc:"A token of the gateway's managed identity, in Authorization."`
	Federated       *ByFederation      `field:"federated" doc:"A token of a registration in any tenant that trusts the gateway's managed identity (workload identity federation), in Authorization. No secret exists."`
	Certificate     Secret             `field:"certificate" doc:"A client certificate with its key (mTLS): a Key Vault certificate, which is read as the secret of that name, PKCS#12 or PEM."`
	Header          *ByHeader          `field:"header" doc:"A secret in a header."`
	Basic           *ByBasic           `field:"basic" doc:"A user name and a secret as password (RFC 7617), in Authorization."`
	OnBehalfOf      *ByOnBehalfOf      `field:"onBehalfOf" doc:"The calling user's token, exchanged at Entra for one of the backend's (OAuth 2.0 on-behalf-of), in Authorization. Only calls with a user's token can be granted."`
}

// ByManagedIdentity says which token the gateway asks its platform for.
type ByManagedIdentity struct {
	Resource Text `field:"resource,required" doc:"The backend's Application ID URI or client id, without /.default."`
	ClientID Text `field:"clientId" doc:"Client id of a user-assigned identity, such as ${identity.NAME}. Without it, the environment's identity.gateway, or else the system-assigned one."`
}

// ByFederation says which registration trusts the gateway's managed identity, and what it may ask for.
type ByFederation struct {
	Tenant   string `field:"tenant" doc:"Where that registration is: home, or a name under the environment's tenants." default:"home"`
	ClientID Text   `field:"clientId,required" doc:"The registration's client id, such as ${identity.NAME}."`
	Resource Text   `field:"resource,required" doc:"The backend's Application ID URI or client id, without /.default."`
}

// ByHeader is a secret in a header.
type ByHeader struct {
	Name  string `field:"name,required" doc:"The header. A caller's own is removed, and so is the backend's in answers." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	Value Secret `field:"value,required" doc:"The secret, as ${secret:VAULT/NAME}."`
}

// ByBasic is HTTP Basic.
type ByBasic struct {
	Username string `field:"username,required" doc:"The user name: printable ASCII without a colon (RFC 7617 §2)." pattern:"^[!-9;-~]([ -9;-~]{0,126}[!-9;-~])?$"`
	Password Secret `field:"password,required" doc:"The password, as ${secret:VAULT/NAME}."`
}

// ByOnBehalfOf is the exchange of a user's token, by the API's own registration.
// Exactly one of clientSecret, certificate and federated says how that registration proves itself.
type ByOnBehalfOf struct {
	Resource     Text     `field:"resource,required" doc:"The backend's Application ID URI or client id, without /.default."`
	Scopes       []string `field:"scopes" doc:"The backend's scopes that are asked for, by their short names. Without it, all that the registration was given (.default)." pattern:"^[A-Za-z0-9._:-]{1,120}$"`
	ClientSecret Secret   `field:"clientSecret" doc:"The registration's client secret."`
	Certificate  Secret   `field:"certificate" doc:"The registration's certificate with its key, PKCS#12 or PEM."`
	Federated    *bool    `field:"federated" doc:"true: the registration trusts the gateway's managed identity. No secret exists."`
}
