package evidence

// Gaps that several controls share.
const (
	gapReviews  = "Reviews of who holds which role or scope: they are assigned in the identity provider."
	gapPeople   = "Joiners, movers and leavers, and the training of people."
	gapPhysical = "Buildings, devices and paper."
	gapBeyond   = "Access to backends that doesn't pass this gateway, and what backends decide by themselves."
	gapMFA      = "Multi-factor authentication itself: the identity provider does it; the gateway can only ask for an authentication context."
	gapKeep     = "How long events are kept, and who may read or delete them: that is set where they are sent."
	gapTLS      = "TLS towards callers: the platform in front of the gateway ends it."
	gapReact    = "That somebody looks at alerts and reacts."
	gapAdmin    = "Administrators of the cloud, the identity provider and the source of these contracts."
)

// Frameworks are all that is laid out.
func Frameworks() []Framework { return append(generalFrameworks(), lawFrameworks()...) }

func generalFrameworks() []Framework {
	return []Framework{
		{"SOC 2, common criteria CC6", "Trust Services Criteria 2017 (points of focus 2022), logical and physical access.", []Control{
			{"CC6.1", "Logical access", "Access to information is limited by architecture and software to those who are known and authorised.", []Topic{Identify, Authorise, Credentials}, []string{gapBeyond, gapAdmin, "Encryption of data at rest."}},
			{"CC6.2", "Registration and removal of users", "Users are registered and authorised before they get credentials, and lose them when access is over.", []Topic{Lifecycle}, []string{gapPeople, gapReviews}},
			{"CC6.3", "Roles and least privilege", "Access follows roles and duties, is changed with them, and is no more than needed.", []Topic{Authorise, Least, Lifecycle}, []string{gapReviews, "Segregation of duties between people."}},
			{"CC6.4", "Physical access", "Physical access to facilities is restricted.", nil, []string{gapPhysical}},
			{"CC6.5", "Disposal of assets", "Protections end only once data can no longer be recovered from an asset.", nil, []string{gapPhysical, "Deletion of data."}},
			{"CC6.6", "Threats from outside", "Access from outside the boundary is protected against.", []Topic{Boundary, Identify}, []string{gapTLS, "Firewalls and networks around the gateway."}},
			{"CC6.7", "Transmission and movement", "Information in transmission is restricted to the authorised, and protected.", []Topic{Backends, Minimise}, []string{gapTLS, "Removable media and devices."}},
			{"CC6.8", "Unauthorised software", "Unauthorised or malicious software is prevented or found.", []Topic{Change}, []string{"Malware on servers and devices; what stands in request bodies isn't looked at."}},
		}},
		{"ISO/IEC 27001:2022, Annex A", "With the numbers of the edition of 2013 (A.9, A.12.4).", []Control{
			{"A.5.15", "Access control (2013: A.9.1.1, A.9.1.2)", "Rules for access are set by need, and enforced.", []Topic{Authorise, Boundary}, []string{gapPhysical, gapBeyond}},
			{"A.5.16", "Identity management (2013: A.9.2.1)", "Identities are managed through their whole life.", []Topic{Identify, Lifecycle}, []string{gapPeople}},
			{"A.5.17", "Authentication information (2013: A.9.2.4, A.9.3.1, A.9.4.3)", "Secrets for authentication are issued, kept and renewed in a managed way.", []Topic{Credentials}, []string{"Passwords of people: they never reach the gateway.", gapAdmin}},
			{"A.5.18", "Access rights (2013: A.9.2.2, A.9.2.5, A.9.2.6)", "Rights are given, reviewed, changed and removed by rule.", []Topic{Lifecycle, Least}, []string{gapReviews}},
			{"A.8.2", "Privileged access rights (2013: A.9.2.3)", "The giving and use of privileged rights is restricted and managed.", []Topic{Privileged}, []string{gapAdmin}},
			{"A.8.3", "Information access restriction (2013: A.9.4.1)", "Access to information is restricted as the rules for access say.", []Topic{Authorise, Minimise}, []string{gapBeyond}},
			{"A.8.5", "Secure authentication (2013: A.9.4.2)", "Authentication is as strong as the restriction of access needs.", []Topic{Identify, Credentials, Privileged}, []string{gapMFA}},
			{"A.8.15", "Logging (2013: A.12.4.1 to A.12.4.3)", "Activities are recorded, and the records kept, protected and analysed.", []Topic{Record, Minimise}, []string{gapKeep}},
			{"A.8.16", "Monitoring activities (2013: none)", "Systems are watched for what is out of the ordinary, and somebody acts on it.", []Topic{Watch}, []string{gapReact}},
		}},
		{"PCI DSS 4.0, requirements 7, 8 and 10", "For a gateway in or before a cardholder data environment.", []Control{
			{"7.2", "Access is defined and assigned", "Access is given by job and least privilege, and reviewed.", []Topic{Authorise, Least}, []string{gapReviews, gapPeople}},
			{"7.3", "An access control system", "A system restricts access by need to know and refuses by default.", []Topic{Authorise, Identify}, []string{gapBeyond}},
			{"8.2", "Identification of users", "Every user has an identity of its own through the whole life of an account.", []Topic{Identify, Lifecycle}, []string{gapPeople, "Whether several people share an account."}},
			{"8.3", "Strong authentication", "Users and administrators prove themselves strongly.", []Topic{Credentials, Privileged}, []string{"Rules for passwords: the identity provider's.", gapAdmin}},
			{"8.4", "Multi-factor authentication", "Access to the cardholder data environment needs several factors.", []Topic{Privileged}, []string{gapMFA}},
			{"8.6", "Application and system accounts", "Accounts of applications, and what they prove themselves by, are managed.", []Topic{Credentials, Lifecycle}, []string{"Where clients keep their own secrets."}},
			{"10.2", "Audit logs", "Logs hold enough to find what happened and who did it.", []Topic{Record}, []string{gapBeyond}},
			{"10.3", "Protection of audit logs", "Logs are protected from change and loss.", []Topic{Record}, []string{gapKeep}},
			{"10.4", "Review of audit logs", "Logs are reviewed for what is suspicious.", []Topic{Watch}, []string{gapReact}},
			{"10.5", "Retention of audit logs", "Logs are kept for a year, and three months of them at hand.", nil, []string{gapKeep}},
		}},
	}
}

func lawFrameworks() []Framework {
	return []Framework{
		{"HIPAA Security Rule, 45 CFR §164.312", "Technical safeguards, where calls carry electronic protected health information.", []Control{
			{"§164.312(a)(1)", "Access control", "Only persons or programs that were given access rights have access.", []Topic{Identify, Authorise, Lifecycle}, []string{"Emergency access, automatic log-off, encryption at rest.", gapBeyond}},
			{"§164.312(b)", "Audit controls", "Mechanisms record and examine activity.", []Topic{Record, Watch}, []string{gapKeep, gapReact}},
			{"§164.312(d)", "Person or entity authentication", "Whoever seeks access is verified to be the one claimed.", []Topic{Identify, Credentials}, []string{gapMFA}},
		}},
		{"GDPR (EU) 2016/679", "Where calls or events hold personal data.", []Control{
			{"Art. 25", "Data protection by design and by default", "By default, no more personal data is processed, and by no more people, than the purpose needs.", []Topic{Minimise, Least, Authorise}, []string{"The purposes and legal bases of processing.", gapKeep, "What backends do with what they get."}},
			{"Art. 32", "Security of processing", "Measures fit the risk: confidentiality, integrity, availability, pseudonyms, regular tests.", []Topic{Identify, Authorise, Boundary, Backends, Record}, []string{gapTLS, "Assessment of risks; recovery after incidents; encryption at rest."}},
		}},
		{"NIS2 (EU) 2022/2555", "As national law has transposed it.", []Control{
			{"Art. 21(2)(b)", "Incident handling", "Incidents are found and dealt with.", []Topic{Watch, Record}, []string{gapReact, "Reports to authorities."}},
			{"Art. 21(2)(d)", "Supply chain security", "Relations with suppliers and partners are secured.", []Topic{Lifecycle, Boundary}, []string{"Assessment of suppliers."}},
			{"Art. 21(2)(h)", "Cryptography", "There are rules for the use of cryptography.", []Topic{Credentials, Backends}, []string{gapTLS, "Encryption at rest."}},
			{"Art. 21(2)(i)", "Access control and personnel security", "Access is controlled, and people and assets are managed.", []Topic{Authorise, Lifecycle, Least}, []string{gapPeople}},
			{"Art. 21(2)(j)", "Strong or continuous authentication", "Multi-factor or continuous authentication is used where fit.", []Topic{Privileged, Identify}, []string{gapMFA}},
		}},
	}
}
