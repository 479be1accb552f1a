package audit

// record is a line as OCSF has it: what Parse reads, and what the schema is made
// from. Append writes the same by hand, in a tenth of the time; tests hold the
// two together.
type record struct {
	ClassUID     int    `json:"class_uid" const:"6003" doc:"API Activity."`
	ClassName    string `json:"class_name" const:"API Activity"`
	CategoryUID  int    `json:"category_uid" const:"6" doc:"Application Activity."`
	CategoryName string `json:"category_name" const:"Application Activity"`
	ActivityID   int    `json:"activity_id" enum:"0,1,2,3,4,99" doc:"By the method: 1 create, 2 read, 3 update, 4 delete, 99 any other."`
	ActivityName string `json:"activity_name" doc:"Its name; of 99 the method."`
	TypeUID      int    `json:"type_uid" enum:"600300,600301,600302,600303,600304,600399" doc:"class_uid * 100 + activity_id."`
	SeverityID   int    `json:"severity_id" enum:"1,2,3,4" doc:"1 granted; 2 refused, or broken off; 3 a credential that proves nothing, or an outage; 4 what an honest client can't bring about, or a fault of the gateway."`
	Severity     string `json:"severity" enum:"Informational,Low,Medium,High"`
	Time         int64  `json:"time" doc:"When the request arrived, in milliseconds since 1970."`
	TimeDT       string `json:"time_dt" format:"date-time" doc:"The same, as exactly as it is known."`
	Duration     int64  `json:"duration,omitempty" min:"1" doc:"Milliseconds of the whole call."`
	ActionID     int    `json:"action_id" enum:"1,2" doc:"1 allowed, 2 denied."`
	Action       string `json:"action" enum:"Allowed,Denied"`

	DispositionID int    `json:"disposition_id" enum:"1,2"`
	Disposition   string `json:"disposition" enum:"Allowed,Blocked"`
	StatusID      int    `json:"status_id" enum:"1,2" doc:"1 granted and finished; 2 refused, or not finished."`
	Status        string `json:"status" enum:"Success,Failure"`
	StatusCode    string `json:"status_code" max:"128" pattern:"^[a-z][a-z0-9_]*$" doc:"The stable reason: granted, a refusal's code, or why a granted call was not finished."`
	StatusDetail  string `json:"status_detail,omitempty" max:"1025" doc:"The cause, for operators."`

	Policy *policy `json:"policy,omitempty" doc:"The rule of the contract that decided."`
	Trace  *trace  `json:"trace,omitempty" doc:"W3C trace context."`
	Actor  actor   `json:"actor" doc:"Who called."`
	API    api     `json:"api"`

	SrcEndpoint  source       `json:"src_endpoint" doc:"Where the call came from."`
	DstEndpoint  *destination `json:"dst_endpoint,omitempty" doc:"The backend that was called."`
	HTTPRequest  request      `json:"http_request"`
	HTTPResponse *response    `json:"http_response,omitempty" doc:"Absent where the client left before an answer."`

	Unmapped unmapped `json:"unmapped" doc:"What OCSF has no place for."`
	Metadata metadata `json:"metadata"`
}

type policy struct {
	UID string `json:"uid" max:"257" doc:"Such as operations.get.allow.scopes, or gateway.addresses."`
}

type trace struct {
	UID  string `json:"uid" pattern:"^[0-9a-f]{32}$" doc:"The caller's trace, or a new one."`
	Span *span  `json:"span,omitempty"`
}

type span struct {
	UID       string `json:"uid" pattern:"^[0-9a-f]{16}$" doc:"This gateway's step: the parent that the backend sees."`
	StartTime int64  `json:"start_time"`
	EndTime   int64  `json:"end_time"`
}

type actor struct {
	User    user     `json:"user"`
	AppUID  string   `json:"app_uid,omitempty" max:"129" doc:"The client application's id (azp, appid, client_id)."`
	Session *session `json:"session,omitempty" doc:"The token."`
}

type user struct {
	UID    string `json:"uid,omitempty" max:"129" doc:"The object id (oid), or else the subject (sub)."`
	Name   string `json:"name,omitempty" const:"-" doc:"Only where nobody is known: OCSF wants one of the two."`
	TypeID int    `json:"type_id" enum:"0,1,4" doc:"1 a person, for whom an app acts (delegated); 4 an application by itself (app-only); 0 nobody, or a key alone."`
	Type   string `json:"type" enum:"Unknown,User,Service"`
	Org    *org   `json:"org,omitempty"`
}

type org struct {
	UID string `json:"uid" max:"129" doc:"The caller's tenant (tid)."`
}

type session struct {
	UID    string `json:"uid" max:"129" doc:"The token's own id (uti, jti); - where it has none."`
	Issuer string `json:"issuer,omitempty" max:"129"`
}

type api struct {
	Operation string     `json:"operation" max:"129" doc:"- where the request matched none."`
	Service   service    `json:"service"`
	Request   apiRequest `json:"request"`
}

type service struct {
	Name    string `json:"name" max:"129" doc:"The API; - where the request matched none."`
	Version string `json:"version" doc:"Digest of the contracts that decided."`
}

type apiRequest struct {
	UID string `json:"uid" doc:"The correlation id, as the caller and the backend got it."`
}

type source struct {
	IP   string `json:"ip,omitempty" doc:"The caller's address, read as the contract says."`
	Name string `json:"name,omitempty" max:"129" doc:"- where no address is known; or its pseudonym."`
}

type destination struct {
	Hostname string `json:"hostname" max:"257"`
	Port     int    `json:"port,omitempty" min:"1"`
}

type request struct {
	Method     string `json:"http_method" max:"33"`
	URL        url    `json:"url"`
	BodyLength int64  `json:"body_length,omitempty" min:"1" doc:"Bytes of the body, as handed over; of a WebSocket, all that the caller sent."`
}

type url struct {
	Path string `json:"path" max:"1025" doc:"As it came, without the query."`
}

type response struct {
	Code       int   `json:"code" min:"100" doc:"The status that was sent."`
	BodyLength int64 `json:"body_length,omitempty" min:"1"`
}

type unmapped struct {
	Event         string   `json:"event" enum:"decision,started,ended" doc:"decision: a request's only event. A stream that runs for 10 s leaves started while it runs, and ended."`
	Verdict       string   `json:"verdict" enum:"granted,refused"`
	Environment   string   `json:"environment,omitempty"`
	Invocation    string   `json:"invocation,omitempty" doc:"The Functions host's name for the request."`
	Replay        bool     `json:"replay,omitempty" doc:"true: the host sent the request again."`
	Principal     string   `json:"principal,omitempty" enum:"user,application,unknown"`
	Subscription  string   `json:"subscription,omitempty" doc:"Whose key was sent, by its id."`
	Product       string   `json:"product,omitempty"`
	BackendStatus int      `json:"backend_status,omitempty" min:"100"`
	BackendUS     int64    `json:"backend_us,omitempty" min:"1" doc:"Microseconds until the backend's answer began."`
	GatewayUS     int64    `json:"gateway_us,omitempty" min:"1" doc:"Microseconds of the gateway's own work."`
	Limits        []limit  `json:"limits,omitempty" doc:"Those consulted, with what was left."`
	Marks         []string `json:"marks,omitempty" doc:"What an operator should see of a granted call too, such as revocation_stale."`

	Claims map[string][]string `json:"claims,omitempty" doc:"The caller's claims, exactly those that some rule of the API reads."`

	Omitted      []string `json:"omitted,omitempty" doc:"What was there and the contract keeps out, or what could not be made a pseudonym."`
	Pseudonyms   []string `json:"pseudonyms,omitempty" doc:"What is a pseudonym here."`
	PseudonymKey string   `json:"pseudonym_key,omitempty" doc:"Name and version of the secret behind them."`
}

type limit struct {
	Name  string `json:"name" max:"129"`
	Left  int64  `json:"left"`
	Reset int64  `json:"reset,omitempty" min:"1" doc:"Seconds until there is more."`
}

type metadata struct {
	Version        string         `json:"version" const:"1.6.0" doc:"Of OCSF."`
	Product        productVersion `json:"product"`
	Profiles       []string       `json:"profiles"`
	LogName        string         `json:"log_name" const:"audit"`
	LogProvider    string         `json:"log_provider,omitempty" doc:"The gateway, by its name in the contract."`
	UID            string         `json:"uid" doc:"Of this event: the same one, delivered twice, has it twice."`
	CorrelationUID string         `json:"correlation_uid" doc:"Of the call."`
	IsTruncated    bool           `json:"is_truncated,omitempty" doc:"true: something was cut to keep the event below 32 KB."`
}

type productVersion struct {
	Name       string `json:"name" const:"tollgate"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}
