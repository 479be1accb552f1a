package contract

// AuthenticationContext is what an operation's stepUp means in Entra.
type AuthenticationContext struct {
	Name        string   `field:"name,required" doc:"What administrators see in Entra." pattern:"^[^ ](.{0,254}[^ ])?$"`
	Description string   `field:"description" doc:"For readers, here and in Entra."`
	Require     string   `field:"require,required" doc:"What a user must have shown. mfa: a second factor. phishingResistant: a passkey, Windows Hello or a certificate. compliantDevice: a device that Intune calls compliant. Needs Entra ID P1." enum:"mfa,phishingResistant,compliantDevice"`
	Every       Duration `field:"every" doc:"How often it must be shown anew: whole hours up to 23h, or whole days up to 8760h. Without it, as often as the tenant says."`
}

// Credentials are a client's in one environment: public parts alone. A secret has no place here.
type Credentials struct {
	GitHub       *GitHubCredential     `field:"github" doc:"For kind federated: a workflow of GitHub Actions."`
	Kubernetes   *KubernetesCredential `field:"kubernetes" doc:"For kind federated: a service account of a Kubernetes cluster."`
	AWS          *AWSCredential        `field:"aws" doc:"For kind federated: an AWS principal that gets its token from STS (GetWebIdentityToken, RS256, audience api://AzureADTokenExchange)."`
	Certificates []PEM                 `field:"certificates" doc:"For kind certificate: certificates as PEM text, without their keys. Two while one replaces the other."`
}

// GitHubCredential names the workflows that are the client: exactly one of environment, branch and tag.
type GitHubCredential struct {
	Repository  string `field:"repository,required" doc:"OWNER@ID/NAME@ID, as GitHub's tokens name repositories made since July 2026, and others that opted in; OWNER/NAME for the rest." pattern:"^[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9._-]{1,100}|@[0-9]{1,20}/[A-Za-z0-9._-]{1,100}@[0-9]{1,20})$"`
	Environment string `field:"environment" doc:"Jobs that deploy to this environment of the repository: GitHub can ask somebody first." pattern:"^[A-Za-z0-9._/-]{1,255}$"`
	Branch      string `field:"branch" doc:"Jobs that run for this branch." pattern:"^[A-Za-z0-9._/-]{1,255}$"`
	Tag         string `field:"tag" doc:"Jobs that run for this tag." pattern:"^[A-Za-z0-9._/-]{1,255}$"`
}

// KubernetesCredential names the service account that is the client.
type KubernetesCredential struct {
	Issuer         string `field:"issuer,required" doc:"The cluster's issuer of service account tokens, an https URL that Entra can reach."`
	Namespace      string `field:"namespace,required" doc:"The namespace." pattern:"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"`
	ServiceAccount string `field:"serviceAccount,required" doc:"The service account." pattern:"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"`
}

// AWSCredential names the AWS principal that is the client.
type AWSCredential struct {
	Issuer  string `field:"issuer,required" doc:"The AWS account's own issuer, as outbound identity federation shows it."`
	Subject string `field:"subject,required" doc:"The sub of its tokens: the role's ARN." pattern:"^arn:aws[a-z-]*:iam::[0-9]{12}:[A-Za-z0-9+=,.@_/-]{1,512}$"`
}
