package gateway

import "tollgate/shared/pipeline"

// Stages are the names of the stages that judge such a call, in their order; nil
// if no route is found for it.
func (g *Gateway) Stages(c *pipeline.Call) []string {
	rt, refused := g.route(c)
	if refused != nil {
		return nil
	}
	names := []string{"route"}
	for _, s := range rt.stages {
		names = append(names, s.name)
	}
	return names
}
