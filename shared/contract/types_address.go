package contract

// ClientAddress says where the address of whoever calls is read from.
type ClientAddress struct {
	Source string `field:"source,required" doc:"host: what the platform before the gateway says: on Azure the last entry of X-Forwarded-For, as the Functions host hands it over; on AWS Lambda the event's. forwarded: the hops-th entry of that header from the right, for front ends that keep the chain. frontDoor: X-Azure-SocketIP, if X-Azure-FDID is the environment's frontDoorId. event: the address in the event that calls the function; on AWS Lambda only, on Azure the gateway doesn't start." enum:"host,forwarded,frontDoor,event"`
	Hops   int    `field:"hops" doc:"With forwarded: which entry from the right, so how many proxies before the gateway write to the chain, the nearest included. 1 if it isn't given." min:"1"`
}

// Addresses says from where calls may come. deny wins over allow.
type Addresses struct {
	Allow []string `field:"allow" doc:"Calls may come from these networks only, such as 203.0.113.0/24 or 2001:db8::/32. An address alone is itself."`
	Deny  []string `field:"deny" doc:"No call may come from these networks, whatever allow says."`
}

// FloodGuard says when an address that sends refused credentials is slowed down.
type FloodGuard struct {
	Refused int      `field:"refused" doc:"Refused credentials from one address (IPv6: one /64) within window, beyond which new credentials from it are verified slowly. 100 if it isn't given." min:"1"`
	Window  Duration `field:"window" doc:"The window that they are counted in, from 1s to 1h." default:"1m"`
}
