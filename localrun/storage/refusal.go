package storage

import "net/http"

// refusal is an error of the service: its status, its code and a sentence.
type refusal struct {
	status     int
	code, text string
}

func invalidInput(text string) *refusal {
	return &refusal{http.StatusBadRequest, "InvalidInput", text}
}

func methodNotAllowed() *refusal {
	return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "This resource doesn't take that HTTP verb."}
}

func bodyTooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The body is larger than 4 MiB."}
}

func tableNotFound() *refusal {
	return &refusal{http.StatusNotFound, "TableNotFound", "There is no such table."}
}

func resourceNotFound() *refusal {
	return &refusal{http.StatusNotFound, "ResourceNotFound", "There is no such resource."}
}

func tableExists() *refusal {
	return &refusal{http.StatusConflict, "TableAlreadyExists", "There is a table of that name already."}
}

func entityExists() *refusal {
	return &refusal{http.StatusConflict, "EntityAlreadyExists", "There is an entity with these keys already."}
}

func conditionNotMet() *refusal {
	return &refusal{http.StatusPreconditionFailed, "UpdateConditionNotSatisfied", "The entity's ETag is not the one in If-Match."}
}

func needsValue(property string) *refusal {
	return &refusal{http.StatusBadRequest, "PropertiesNeedValue", property + " has no value."}
}

func invalidName(text string) *refusal {
	return &refusal{http.StatusBadRequest, "PropertyNameInvalid", text}
}

func serverBusy() *refusal {
	return &refusal{http.StatusServiceUnavailable, "ServerBusy", "The server is busy."}
}

func timedOut() *refusal {
	return &refusal{http.StatusInternalServerError, "OperationTimedOut", "The operation could not be completed within the permitted time."}
}

func noAuthentication() *refusal {
	return &refusal{http.StatusUnauthorized, "NoAuthenticationInformation", "The request has no credentials."}
}

// A token that doesn't do is 401, a signature that doesn't do is 403.
func authenticationFailed(status int, text string) *refusal {
	return &refusal{status, "AuthenticationFailed", text}
}
